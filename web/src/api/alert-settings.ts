// Silences and the thresholds of one server: queries and commands.
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useLang } from "../state/lang";
import { http, unwrap } from "./client";
import { monitorKeys } from "./monitor";
import type { SilenceRequest, ThresholdSetting } from "./types";

const thresholdsKey = (instance: string, lang: string) => ["monitor", "thresholds", instance, lang] as const;

// They end by themselves, so the list is asked for now and then.
export function useSilences(instance: string) {
  const lang = useLang();
  return useQuery({
    queryKey: [...monitorKeys.silences, instance, lang],
    queryFn: () => unwrap(http.GET("/api/v1/monitor/silences", { params: { query: { instance } } })),
    refetchInterval: 30_000,
  });
}

export function useSilenceCommands() {
  const client = useQueryClient();
  const refresh = () =>
    Promise.all([monitorKeys.alerts, monitorKeys.status, monitorKeys.silences].map((queryKey) => client.invalidateQueries({ queryKey })));
  return {
    // One silence per rule that the alert names now, so that a new fault of the same group is heard.
    add: useMutation({
      mutationFn: (requests: SilenceRequest[]) => Promise.all(requests.map((body) => unwrap(http.POST("/api/v1/monitor/silences", { body })))),
      onSettled: refresh,
    }),
    end: useMutation({
      mutationFn: (id: string) => unwrap(http.DELETE("/api/v1/monitor/silences/{id}", { params: { path: { id } } })),
      onSettled: refresh,
    }),
  };
}

// The reply is in one language; what is kept in the other is out of date and is asked for when it is shown.
export async function keepThresholds(client: QueryClient, instance: string, lang: string, reply: unknown) {
  await client.invalidateQueries({ queryKey: ["monitor", "thresholds", instance], refetchType: "none" });
  client.setQueryData(thresholdsKey(instance, lang), reply);
}

export function useThresholds(instance: string) {
  const lang = useLang();
  return useQuery({
    queryKey: thresholdsKey(instance, lang),
    queryFn: () => unwrap(http.GET("/api/v1/monitor/thresholds", { params: { query: { instance } } })),
    staleTime: 60_000,
  });
}

export function useThresholdCommands(instance: string) {
  const client = useQueryClient();
  const lang = useLang();
  const onSuccess = (reply: unknown) => keepThresholds(client, instance, lang, reply);
  return {
    set: useMutation({
      mutationFn: ({ rule, setting }: { rule: string; setting: ThresholdSetting }) =>
        unwrap(http.PUT("/api/v1/monitor/thresholds", { body: { instance, rules: { [rule]: setting } } })),
      onSuccess,
    }),
    // All rules when none is named.
    reset: useMutation({
      mutationFn: (rule: string | undefined) =>
        unwrap(http.DELETE("/api/v1/monitor/thresholds", { params: { query: { instance, rule } } })),
      onSuccess,
    }),
  };
}
