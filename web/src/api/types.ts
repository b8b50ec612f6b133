// Short names for the schemas of the OpenAPI document. schema.d.ts is generated: `npm run generate`.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alert = Schemas["Alert"];
export type Alternative = Schemas["Alternative"];
export type Analysis = Schemas["Analysis"];
export type AnalysisSummary = Schemas["AnalysisSummary"];
export type AnalyzeRequest = Schemas["AnalyzeRequest"];
export type BulkImportReply = Schemas["BulkImportReply"];
export type Capability = Schemas["Capability"];
export type Category = Schemas["Category"];
export type Command = Schemas["Command"];
export type ConnectReply = Schemas["ConnectReply"];
export type ConnectRequest = Schemas["ConnectRequest"];
export type Entry = Schemas["Entry"];
export type EntryInput = Schemas["EntryInput"];
export type EntrySeverity = Schemas["EntrySeverity"];
export type ErrorBody = Schemas["Error"];
export type EvidenceItem = Schemas["EvidenceItem"];
export type Fault = Schemas["Fault"];
export type FaultPanel = Schemas["FaultPanel"];
export type HistoryReply = Schemas["HistoryReply"];
export type Incident = Schemas["Incident"];
export type Instance = Schemas["Instance"];
export type Risk = Schemas["Risk"];
export type Sample = Schemas["Sample"];
export type SearchHit = Schemas["SearchHit"];
export type Session = Schemas["Session"];
export type Severity = Schemas["Severity"];
export type Silence = Schemas["Silence"];
export type SilenceRequest = Schemas["SilenceRequest"];
export type StatusReply = Schemas["StatusReply"];
export type ThresholdCondition = Schemas["ThresholdCondition"];
export type ThresholdRule = Schemas["ThresholdRule"];
export type ThresholdSetting = Schemas["ThresholdSetting"];
export type Text = Schemas["Text"];

export type HelloEvent = Schemas["HelloEvent"];
export type AlertEvent = Schemas["AlertEvent"];
export type AnalysisEvent = Schemas["AnalysisEvent"];
export type InstanceEvent = Schemas["InstanceEvent"];
export type FaultEvent = Schemas["FaultEvent"];

export type EntryCategory = EntryInput["category"];
export const entryCategories = [
  "memory", "connection", "replication", "cluster", "persistence", "performance", "security", "configuration", "client", "crash",
] as const satisfies readonly EntryCategory[];
export const categories = [...entryCategories, "none"] as const satisfies readonly Category[];
export const entrySeverities = ["critical", "high", "medium", "low"] as const satisfies readonly EntrySeverity[];
export const severities = [...entrySeverities, "none"] as const satisfies readonly Severity[];
