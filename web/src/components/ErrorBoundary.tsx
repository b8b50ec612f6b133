import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "./states";

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    return this.state.error ? <Crashed error={this.state.error} /> : this.props.children;
  }
}

function Crashed({ error }: { error: Error }) {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <EmptyState title={t("error.crash")} hint={t("error.crashHint")}>
        <code>{error.message}</code>
        <Button size="xs" variant="default" onClick={() => window.location.reload()}>
          {t("error.reload")}
        </Button>
      </EmptyState>
    </div>
  );
}
