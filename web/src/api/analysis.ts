// Queries and commands of diagnosis and its history.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Lang } from "../i18n/lang";
import { http, unwrap } from "./client";
import type { Analysis, AnalyzeRequest, Category, Severity } from "./types";

export interface HistoryFilter {
  category?: Category | undefined;
  severity?: Severity | undefined;
  instance?: string | undefined;
}

const keys = {
  list: ["analyses"] as const,
  one: (id: string) => ["analysis", id] as const,
};

export function useAnalysis(id: string | undefined) {
  return useQuery({
    queryKey: keys.one(id ?? ""),
    queryFn: () => unwrap(http.GET("/api/v1/analyze/{id}", { params: { path: { id: id ?? "" } } })),
    enabled: id !== undefined,
    staleTime: Infinity,
  });
}

export function useAnalyses(filter: HistoryFilter) {
  return useInfiniteQuery({
    queryKey: [...keys.list, filter],
    queryFn: ({ pageParam }) =>
      unwrap(http.GET("/api/v1/analyze", { params: { query: { ...filter, limit: 20, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export function useSimilar(analysisId: string | undefined) {
  return useQuery({
    queryKey: ["similar", analysisId],
    queryFn: () => unwrap(http.GET("/api/v1/search/similar", { params: { query: { analysis_id: analysisId, limit: 6 } } })),
    enabled: analysisId !== undefined,
  });
}

export function useAnalyzeCommands() {
  const client = useQueryClient();
  const keep = async (analysis: Analysis) => {
    client.setQueryData(keys.one(analysis.id), analysis);
    await client.invalidateQueries({ queryKey: keys.list });
  };
  return {
    analyze: useMutation({
      // The route can also stream events as text; without an Accept header for those it answers JSON.
      mutationFn: async (body: AnalyzeRequest) =>
        (await unwrap(http.POST("/api/v1/analyze", { body }))) as Analysis,
      onSuccess: keep,
    }),
    analyzeNow: useMutation({
      mutationFn: (body: { instance: string; lang: Lang }) => unwrap(http.POST("/api/v1/monitor/analyze", { body })),
      onSuccess: keep,
    }),
  };
}
