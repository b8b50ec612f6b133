import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "./client";

export function useSession() {
  return useQuery({ queryKey: ["session"], queryFn: () => unwrap(http.GET("/api/v1/session")), staleTime: 60_000 });
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => unwrap(http.POST("/api/v1/session", { body: { token } })),
    onSuccess: () => client.invalidateQueries(),
  });
}
