// One event stream for the whole page. What arrives is written into the query cache, so that components only ever
// read queries and do not know whether a value was asked for or pushed.
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { monitorKeys } from "../api/monitor";
import type { AlertEvent, FaultEvent, HelloEvent, InstanceEvent, Sample, StatusReply } from "../api/types";
import { mergeAlert, mergeFault, mergeInstance } from "../lib/live";
import { appendSample, type SeriesTable } from "../lib/series";
import { useLang } from "./lang";

export type LinkState = "connecting" | "open" | "lost";

const LinkContext = createContext<LinkState>("connecting");

export function useLinkState(): LinkState {
  return useContext(LinkContext);
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const lang = useLang();
  const [state, setState] = useState<LinkState>("connecting");

  useEffect(() => {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let broken = false;
    const open = () => {
      source = new EventSource(`/api/v1/monitor/stream?lang=${lang}`);
      source.onopen = () => {
        setState("open");
        if (broken) void client.invalidateQueries({ queryKey: ["monitor"] });
        broken = false;
      };
      source.onerror = () => {
        broken = true;
        setState("lost");
        // The browser retries by itself unless the server refused; then it is up to us.
        if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, 5000);
      };
      listen(source, client);
    };
    open();
    return () => {
      clearTimeout(retry);
      source?.close();
    };
  }, [client, lang]);

  return <LinkContext.Provider value={state}>{children}</LinkContext.Provider>;
}

function listen(source: EventSource, client: QueryClient): void {
  const on = <T,>(kind: string, handle: (data: T) => void) =>
    source.addEventListener(kind, (event: MessageEvent<string>) => handle(JSON.parse(event.data) as T));

  on<HelloEvent>("hello", ({ instances, now }) =>
    client.setQueryData<StatusReply>(monitorKeys.status, (old) => ({ default: instances[0]?.id ?? null, ...old, instances, now })),
  );
  on<Sample>("sample", (sample) => {
    client.setQueryData(monitorKeys.metrics(sample.instance), sample);
    const histories = client.getQueriesData<SeriesTable>({ queryKey: monitorKeys.history(sample.instance) });
    for (const [key, table] of histories) {
      const windowMs = key.at(-1);
      if (!table || typeof windowMs !== "number") continue;
      client.setQueryData(key, appendSample(table, { ...(sample.reachable ? sample : {}), at: sample.at_ms }, windowMs));
    }
  });
  on<InstanceEvent>("instance", (event) => client.setQueryData<StatusReply>(monitorKeys.status, (old) => mergeInstance(old, event)));
  on<AlertEvent>("alert", ({ change, alert }) => {
    client.setQueryData<{ alerts: (typeof alert)[] }>([...monitorKeys.alerts, alert.instance], (old) => mergeAlert(old, alert));
    void client.invalidateQueries({ queryKey: monitorKeys.status });
    if (change === "silenced" || change === "unsilenced") void client.invalidateQueries({ queryKey: monitorKeys.silences });
  });
  on<FaultEvent>("fault", ({ fault }) =>
    client.setQueryData<Parameters<typeof mergeFault>[0]>(monitorKeys.faults(fault.instance), (old) => mergeFault(old, fault)),
  );
  on("analysis", () => void client.invalidateQueries({ queryKey: ["analyses"] }));
}
