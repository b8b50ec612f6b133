// Runs SC-001 on the demo server across pages: one button, and it ends at the diagnosis.
import { useMutation } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { useAnalyzeCommands } from "../api/analysis";
import { useAlerts, useFault, useFaultPanel, useMonitorCommands } from "../api/monitor";
import { storyStep, type StoryStep } from "../lib/story";
import { useLang } from "./lang";
import { useNow } from "./now";
import { markStarted } from "./visit";

const kTimeoutMs = 120_000;

export interface Story {
  step: StoryStep | null; // null: not running
  instance: string | null;
  late: boolean;
  error: unknown;
  run: () => void;
  stop: () => void;
}

const StoryContext = createContext<Story | null>(null);

export function useStory(): Story {
  const story = useContext(StoryContext);
  if (!story) throw new Error("useStory outside StoryProvider");
  return story;
}

interface Run {
  instance: string;
  beganAt: number;
}

export function StoryProvider({ children }: { children: ReactNode }) {
  const navigate = useNavigate();
  const [current, setCurrent] = useState<Run | null>(null);
  const begin = useBegin(setCurrent);
  const finish = useFinish(current, setCurrent);
  const now = useNow(1000);
  const observed = useObserved(current);

  useEffect(() => {
    if (observed === "analyzing") finish.go();
  }, [observed, finish]);

  const { mutate, reset } = begin;
  const run = useCallback(() => {
    markStarted();
    finish.reset();
    setCurrent(null);
    mutate(undefined, { onSuccess: (instance) => void navigate(`/monitor?instance=${encodeURIComponent(instance)}&range=m5`) });
  }, [mutate, navigate, finish]);
  const stop = useCallback(() => {
    reset();
    finish.reset();
    setCurrent(null);
  }, [reset, finish]);

  const story = useMemo<Story>(
    () => ({
      step: begin.isPending ? "starting" : current ? observed : null,
      instance: current?.instance ?? null,
      late: current !== null && now - current.beganAt > kTimeoutMs,
      error: begin.error ?? finish.error,
      run,
      stop,
    }),
    [begin.isPending, begin.error, current, observed, now, finish.error, run, stop],
  );
  return <StoryContext.Provider value={story}>{children}</StoryContext.Provider>;
}

function useBegin(setCurrent: (run: Run) => void) {
  const { startDemo } = useMonitorCommands();
  const fault = useFault();
  return useMutation({
    mutationFn: async () => {
      const demo = await startDemo.mutateAsync();
      const instance = demo.instance ?? "";
      await fault.mutateAsync({ kind: "cleanup", instance });
      const beganAt = Date.now() - 1000;
      await fault.mutateAsync({ kind: "fill-memory", instance });
      setCurrent({ instance, beganAt });
      return instance;
    },
  });
}

function useObserved(current: Run | null): StoryStep | null {
  const instance = current?.instance;
  const alerts = useAlerts(instance);
  const panel = useFaultPanel(instance);
  if (!current) return null;
  return storyStep({ alerts: alerts.data?.alerts ?? [], faults: panel.data?.faults ?? [], beganAt: current.beganAt });
}

function useFinish(current: Run | null, setCurrent: (run: Run | null) => void) {
  const lang = useLang();
  const navigate = useNavigate();
  const { mutate, error, reset } = useAnalyzeCommands().analyzeNow;
  const asked = useRef<Run | null>(null);
  return useMemo(
    () => ({
      error,
      reset,
      go: () => {
        if (!current || asked.current === current) return;
        asked.current = current;
        mutate(
          { instance: current.instance, lang },
          {
            onSuccess: (analysis) => {
              setCurrent(null);
              void navigate(`/analyze/${analysis.id}`);
            },
          },
        );
      },
    }),
    [current, error, lang, mutate, navigate, reset, setCurrent],
  );
}
