// Queries and commands of the live side.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { chartMetrics, emptyTable, type SeriesTable } from "../lib/series";
import { http, unwrap } from "./client";
import type { ConnectRequest, HistoryReply } from "./types";

export const monitorKeys = {
  status: ["monitor", "status"] as const,
  metrics: (instance: string) => ["monitor", "metrics", instance] as const,
  history: (instance: string) => ["monitor", "history", instance] as const,
  alerts: ["monitor", "alerts"] as const,
  silences: ["monitor", "silences"] as const,
  faults: (instance: string) => ["monitor", "faults", instance] as const,
};

export function useStatus() {
  return useQuery({
    queryKey: monitorKeys.status,
    queryFn: () => unwrap(http.GET("/api/v1/monitor/status")),
    refetchInterval: 30_000,
  });
}

export function useMetrics(instance: string | undefined) {
  return useQuery({
    queryKey: monitorKeys.metrics(instance ?? ""),
    queryFn: () => unwrap(http.GET("/api/v1/monitor/metrics", { params: { query: { instance } } })),
    enabled: instance !== undefined,
    retry: false,
  });
}

// One query per range; live samples are appended to its cache by the event stream.
export function useHistory(instance: string | undefined, rangeMs: number) {
  return useQuery({
    queryKey: [...monitorKeys.history(instance ?? ""), rangeMs],
    queryFn: async () => {
      const query = { instance, metrics: chartMetrics.join(","), from: String(Date.now() - rangeMs) };
      return toTable(await unwrap(http.GET("/api/v1/monitor/metrics/history", { params: { query } })));
    },
    enabled: instance !== undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    refetchOnMount: "always",
  });
}

// Steps in which nothing was seen at all are left out: the silence between the others says it.
export function toTable(reply: HistoryReply): SeriesTable {
  const table = emptyTable();
  reply.times_ms.forEach((at, i) => {
    const row = chartMetrics.map((metric) => reply.series[metric]?.[i] ?? null);
    if (row.every((value) => value === null)) return;
    table.at.push(at);
    chartMetrics.forEach((metric, k) => table.values[metric].push(row[k] ?? null));
  });
  return table;
}

export function useAlerts(instance: string | undefined) {
  return useQuery({
    queryKey: [...monitorKeys.alerts, instance ?? ""],
    queryFn: () => unwrap(http.GET("/api/v1/monitor/alerts", { params: { query: { instance, limit: 50 } } })),
    enabled: instance !== undefined,
  });
}

export function useFaultPanel(instance: string | undefined) {
  return useQuery({
    queryKey: monitorKeys.faults(instance ?? ""),
    queryFn: () => unwrap(http.GET("/api/v1/monitor/test", { params: { query: { instance } } })),
    enabled: instance !== undefined,
  });
}

export function useMonitorCommands() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ["monitor"] });
  return {
    connect: useMutation({
      mutationFn: (body: ConnectRequest) => unwrap(http.POST("/api/v1/monitor/connect", { body })),
      onSuccess: refresh,
    }),
    disconnect: useMutation({
      mutationFn: (instance: string) => unwrap(http.POST("/api/v1/monitor/disconnect", { body: { instance } })),
      onSuccess: refresh,
    }),
    start: useMutation({
      mutationFn: (body: { instance: string; interval: number }) => unwrap(http.POST("/api/v1/monitor/start", { body })),
      onSuccess: refresh,
    }),
    stop: useMutation({
      mutationFn: (instance: string) => unwrap(http.POST("/api/v1/monitor/stop", { body: { instance } })),
      onSuccess: refresh,
    }),
    ack: useMutation({
      mutationFn: (id: string) => unwrap(http.POST("/api/v1/monitor/alerts/{id}/ack", { params: { path: { id } } })),
      onSuccess: () => client.invalidateQueries({ queryKey: monitorKeys.alerts }),
    }),
    startDemo: useMutation({
      mutationFn: () => unwrap(http.POST("/api/v1/monitor/demo", { body: {} })),
      onSuccess: refresh,
    }),
    stopDemo: useMutation({
      mutationFn: () => unwrap(http.DELETE("/api/v1/monitor/demo")),
      onSuccess: refresh,
    }),
  };
}

export type FaultRequest = { instance: string; confirm?: string | undefined } & (
  | { kind: "fill-memory"; sizeMb?: number | undefined }
  | { kind: "many-connections"; count?: number | undefined }
  | { kind: "slow-query"; seconds?: number | undefined }
  | { kind: "cleanup" }
);

export function useFault() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: sendFault,
    onSettled: (_reply, _error, request) => client.invalidateQueries({ queryKey: monitorKeys.faults(request.instance) }),
  });
}

function sendFault(request: FaultRequest) {
  const { instance, confirm } = request;
  switch (request.kind) {
    case "fill-memory":
      return unwrap(http.POST("/api/v1/monitor/test/fill-memory", { params: { query: { instance, confirm, size_mb: request.sizeMb } } }));
    case "many-connections":
      return unwrap(http.POST("/api/v1/monitor/test/many-connections", { params: { query: { instance, confirm, count: request.count } } }));
    case "slow-query":
      return unwrap(http.POST("/api/v1/monitor/test/slow-query", { params: { query: { instance, confirm, seconds: request.seconds } } }));
    case "cleanup":
      return unwrap(http.POST("/api/v1/monitor/test/cleanup", { params: { query: { instance } } }));
  }
}
