// The state of a server as label and value, with a tone where the value is bad news.
import type { TFunction } from "i18next";
import type { Sample } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import { formatCount, formatDuration, formatTime } from "../../lib/format";

export interface Fact {
  label: string;
  value: string;
  tone?: "bad" | "warn";
}

export interface Facts {
  server: Fact[];
  persistence: Fact[];
}

const kUnstableFragmentation = 1.5;

// Facts that the server does not tell are left out: an absent field is not a zero.
export function buildFacts(sample: Sample, lang: Lang, t: TFunction): Facts {
  const count = (value: number) => formatCount(value, lang);
  const facts = (list: (Fact | null)[]) => list.filter((fact): fact is Fact => fact !== null);
  const fact = <T>(value: T | null | undefined, label: string, show: (value: T) => string, tone?: (value: T) => Fact["tone"]): Fact | null => {
    if (value == null || value === "") return null;
    const mood = tone?.(value);
    return mood ? { label, value: show(value), tone: mood } : { label, value: show(value) };
  };
  const bad = (is: boolean) => (is ? ("bad" as const) : undefined);
  const warn = (is: boolean) => (is ? ("warn" as const) : undefined);
  const status = (value: string) => (value === "ok" ? t("monitor.facts.ok") : t("monitor.facts.failed"));
  const isReplica = sample.role === "slave";

  return {
    server: facts([
      fact(sample.valkey_version ?? sample.redis_version, t("monitor.facts.version"), (v) => (sample.valkey_version ? `Valkey ${v}` : `Redis ${v}`)),
      fact(sample.role, t("monitor.facts.role"), (v) => roleName(v, t)),
      fact(sample.uptime_in_seconds, t("monitor.facts.uptime"), (v) => formatDuration(v, lang)),
      fact(sample.ping_ms, t("monitor.facts.ping"), (v) => `${count(v)} ms`, (v) => (v > 500 ? "bad" : warn(v > 50))),
      fact(sample.keys, t("monitor.facts.keys"), count),
      fact(sample.maxmemory_policy, t("monitor.facts.policy"), (v) => v),
      fact(sample.mem_fragmentation_ratio, t("monitor.facts.fragmentation"), count, (v) => warn(v > kUnstableFragmentation && (sample.used_memory ?? 0) > 100e6)),
      fact(sample.evicted_keys, t("monitor.facts.evicted"), count),
      fact(sample.rejected_connections, t("monitor.facts.rejected"), count, (v) => warn(v > 0)),
      fact(sample.blocked_clients, t("monitor.facts.blocked"), count),
      isReplica ? null : fact(sample.connected_slaves, t("monitor.facts.replicas"), count),
      fact(sample.master_link_status, t("monitor.facts.link"), (v) => (v === "up" ? t("monitor.facts.up") : t("monitor.facts.down")), (v) => bad(v !== "up")),
      fact(sample.cluster_enabled, t("monitor.facts.cluster"), (v) => (v ? t("monitor.facts.on") : t("monitor.facts.off"))),
    ]),
    persistence: facts([
      fact(sample.rdb_last_bgsave_status, t("monitor.facts.rdb"), status, (v) => bad(v !== "ok")),
      fact(sample.rdb_last_save_time, t("monitor.facts.rdbTime"), (v) => formatTime(v * 1000)),
      fact(sample.rdb_changes_since_last_save, t("monitor.facts.rdbChanges"), count),
      fact(sample.aof_enabled, t("monitor.facts.aof"), (v) => (v ? t("monitor.facts.on") : t("monitor.facts.off"))),
      fact(sample.aof_last_bgrewrite_status, t("monitor.facts.aofRewrite"), status, (v) => bad(v !== "ok")),
      fact(sample.aof_last_write_status, t("monitor.facts.aofWrite"), status, (v) => bad(v !== "ok")),
    ]),
  };
}

export function roleName(role: string, t: TFunction): string {
  if (role === "master") return t("monitor.facts.master");
  if (role === "slave") return t("monitor.facts.replica");
  return role;
}
