// The typed HTTP client: paths, parameters, bodies and replies are those of the OpenAPI document.
import createClient, { type FetchResponse } from "openapi-fetch";
import { ApiError, toApiError } from "./error";
import type { paths } from "./schema";

let language = "ko";

export function setRequestLanguage(lang: string): void {
  language = lang;
}

export const http = createClient<paths>({ baseUrl: "/" });

http.use({
  onRequest({ request }) {
    request.headers.set("Accept-Language", language);
    return request;
  },
  onError() {
    return new ApiError(0, "unreachable", "", "");
  },
});

// The reply's body, or the server's error thrown as ApiError.
export async function unwrap<T extends Record<string | number, unknown>, O, M extends `${string}/${string}`>(
  reply: Promise<FetchResponse<T, O, M>>,
): Promise<NonNullable<FetchResponse<T, O, M>["data"]>> {
  const { data, error, response } = await reply;
  if (!response.ok) throw toApiError(response.status, error);
  return data as NonNullable<typeof data>;
}
