// The connect form's fields → the request. Empty fields are left out, so that the server's defaults hold.
import type { ConnectRequest } from "../api/types";

export interface ConnectForm {
  host: string;
  port: string;
  name: string;
  username: string;
  password: string;
  tls: boolean;
  ca: string;
  cert: string;
  key: string;
  serverName: string;
  insecure: boolean;
  testFaults: boolean;
}

export const emptyConnectForm: ConnectForm = {
  host: "127.0.0.1", port: "6379", name: "", username: "", password: "", tls: false, ca: "", cert: "", key: "", serverName: "",
  insecure: false, testFaults: false,
};

export type ConnectProblem = "needHost" | "badPort";

export function checkConnectForm(form: ConnectForm): ConnectProblem | null {
  if (form.host.trim() === "") return "needHost";
  const port = Number(form.port);
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? null : "badPort";
}

// A redis:// or rediss:// address pasted as host is sent as the url that it is.
export function buildConnectRequest(form: ConnectForm): ConnectRequest {
  const host = form.host.trim();
  const isUrl = /^rediss?:\/\//.test(host);
  const address = isUrl ? { url: host } : { host, port: Number(form.port) };
  return { ...address, ...given({ name: form.name.trim(), username: form.username.trim(), password: form.password }), ...buildTls(form), test_faults: form.testFaults };
}

function buildTls(form: ConnectForm): Pick<ConnectRequest, "tls"> {
  if (!form.tls) return {};
  const parts = given({ ca: form.ca.trim(), cert: form.cert.trim(), key: form.key.trim(), server_name: form.serverName.trim() });
  if (Object.keys(parts).length === 0 && !form.insecure) return { tls: true };
  return { tls: { ...parts, ...(form.insecure ? { insecure_skip_verify: true } : {}) } };
}

function given<T extends Record<string, string>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) as Partial<T>;
}
