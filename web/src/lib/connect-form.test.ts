import { describe, expect, it } from "vitest";
import { buildConnectRequest, checkConnectForm, emptyConnectForm } from "./connect-form";

const form = { ...emptyConnectForm, host: " redis.local ", port: "6380" };

describe("the connect form", () => {
  it("sends only what was filled in", () => {
    expect(buildConnectRequest(form)).toEqual({ host: "redis.local", port: 6380, test_faults: false });
    expect(buildConnectRequest({ ...form, username: "sre", password: " p ", name: "orders" })).toEqual({
      host: "redis.local", port: 6380, username: "sre", password: " p ", name: "orders", test_faults: false,
    });
  });

  it("takes an address for what it is", () => {
    expect(buildConnectRequest({ ...form, host: "rediss://u:p@h:1" })).toEqual({ url: "rediss://u:p@h:1", test_faults: false });
  });

  it("asks for verified TLS unless told otherwise", () => {
    expect(buildConnectRequest({ ...form, tls: true }).tls).toBe(true);
    expect(buildConnectRequest({ ...form, tls: true, ca: "PEM", serverName: "h" }).tls).toEqual({ ca: "PEM", server_name: "h" });
    expect(buildConnectRequest({ ...form, tls: true, insecure: true }).tls).toEqual({ insecure_skip_verify: true });
    expect(buildConnectRequest({ ...form, ca: "PEM" }).tls).toBeUndefined();
  });

  it("names what is wrong before anything is sent", () => {
    expect(checkConnectForm(form)).toBeNull();
    expect(checkConnectForm({ ...form, host: " " })).toBe("needHost");
    for (const port of ["0", "65536", "12.5", "abc"]) expect(checkConnectForm({ ...form, port })).toBe("badPort");
  });
});
