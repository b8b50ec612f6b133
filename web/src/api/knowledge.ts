// Queries and commands of the knowledge base, and retrieval over it.
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Lang } from "../i18n/lang";
import { http, unwrap } from "./client";
import type { Entry, EntryCategory, EntryInput, EntrySeverity } from "./types";

export interface KnowledgeFilter {
  category?: EntryCategory | undefined;
  severity?: EntrySeverity | undefined;
  tag?: string | undefined;
  q?: string | undefined;
}

const keys = {
  all: ["knowledge"] as const,
  list: (filter: KnowledgeFilter) => ["knowledge", "list", filter] as const,
  one: (id: string) => ["knowledge", "one", id] as const,
  written: (id: string) => ["knowledge", "one", id, "written"] as const,
};

export function useEntries(filter: KnowledgeFilter) {
  return useInfiniteQuery({
    queryKey: keys.list(filter),
    queryFn: ({ pageParam }) => unwrap(http.GET("/api/v1/knowledge", { params: { query: { ...filter, limit: 100, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function useEntry(id: string | undefined) {
  return useQuery({
    queryKey: keys.one(id ?? ""),
    queryFn: () => unwrap(http.GET("/api/v1/knowledge/{id}", { params: { path: { id: id ?? "" } } })),
    enabled: id !== undefined,
  });
}

// For the editor: each text in the languages it was written in, as it is now and not as it was kept.
export function useWrittenEntry(id: string | undefined) {
  return useQuery({
    queryKey: keys.written(id ?? ""),
    queryFn: () => unwrap(http.GET("/api/v1/knowledge/{id}", { params: { path: { id: id ?? "" }, query: { as: "written" } } })),
    enabled: id !== undefined,
    gcTime: 0,
  });
}

export function useSearch(query: string, lang: Lang, category: EntryCategory | undefined) {
  return useQuery({
    queryKey: ["search", query, lang, category],
    queryFn: () => unwrap(http.POST("/api/v1/search", { body: { query, lang, limit: 20, category } })),
    enabled: query !== "",
    placeholderData: keepPreviousData,
  });
}

export function useKnowledgeCommands() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: keys.all });
  const keep = async (entry: Entry) => {
    await refresh();
    client.setQueryData(keys.one(entry.id), entry);
  };
  return {
    create: useMutation({
      mutationFn: (body: EntryInput) => unwrap(http.POST("/api/v1/knowledge", { body })),
      onSuccess: keep,
    }),
    update: useMutation({
      mutationFn: ({ id, body }: { id: string; body: EntryInput }) =>
        unwrap(http.PUT("/api/v1/knowledge/{id}", { params: { path: { id } }, body })),
      onSuccess: keep,
    }),
    remove: useMutation({
      mutationFn: async (id: string) => {
        await unwrap(http.DELETE("/api/v1/knowledge/{id}", { params: { path: { id } } }));
        return id;
      },
      onSuccess: async (id) => {
        client.removeQueries({ queryKey: keys.one(id) });
        await client.invalidateQueries({ queryKey: ["knowledge", "list"] });
      },
    }),
    importAll: useMutation({
      mutationFn: (body: { entries: Record<string, never>[]; on_conflict: "skip" | "overwrite" }) =>
        unwrap(http.POST("/api/v1/knowledge/bulk-import", { body })),
      onSuccess: refresh,
    }),
    exportAll: useMutation({ mutationFn: () => unwrap(http.GET("/api/v1/knowledge/export")) }),
  };
}
