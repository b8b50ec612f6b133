import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, Route, Routes, useLocation } from "react-router";
import { useSession } from "./api/session";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { Shell } from "./components/Shell";
import { EmptyState, Loading } from "./components/states";
import { SignIn } from "./pages/SignIn";
import { LiveProvider } from "./state/live";
import { StoryProvider } from "./state/story";
import { hasStarted } from "./state/visit";

const StartPage = lazy(() => import("./pages/start/StartPage"));
const MonitorPage = lazy(() => import("./pages/monitor/MonitorPage"));
const AnalyzePage = lazy(() => import("./pages/analyze/AnalyzePage"));
const ResultPage = lazy(() => import("./pages/analyze/ResultPage"));
const SearchPage = lazy(() => import("./pages/search/SearchPage"));
const KnowledgePage = lazy(() => import("./pages/knowledge/KnowledgePage"));
const EntryPage = lazy(() => import("./pages/knowledge/EntryPage"));
const EntryEditPage = lazy(() => import("./pages/knowledge/EntryEditPage"));

export function App() {
  const session = useSession();
  if (session.data?.auth_required && !session.data.authenticated) return <SignIn />;
  return (
    <LiveProvider>
      <StoryProvider>
        <Shell>
          <Pages />
        </Shell>
      </StoryProvider>
    </LiveProvider>
  );
}

function Pages() {
  const { pathname } = useLocation();
  return (
    <ErrorBoundary key={pathname}>
      <Suspense fallback={<Loading lines={6} />}>
        <Routes>
          <Route path="/" element={<Navigate to={hasStarted() ? "/monitor" : "/start"} replace />} />
          <Route path="/start" element={<StartPage />} />
          <Route path="/monitor" element={<MonitorPage />} />
          <Route path="/analyze" element={<AnalyzePage />} />
          <Route path="/analyze/:id" element={<ResultPage />} />
          <Route path="/search" element={<SearchPage />} />
          <Route path="/knowledge" element={<KnowledgePage />} />
          <Route path="/knowledge/new" element={<EntryEditPage />} />
          <Route path="/knowledge/:id" element={<EntryPage />} />
          <Route path="/knowledge/:id/edit" element={<EntryEditPage />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </ErrorBoundary>
  );
}

function NotFound() {
  const { t } = useTranslation();
  return (
    <EmptyState title={t("app.notFound")} hint={t("app.notFoundHint")}>
      <Link to="/start">{t("nav.start")}</Link>
    </EmptyState>
  );
}
