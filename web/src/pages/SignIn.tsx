import { Button, PasswordInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useSignIn } from "../api/session";
import { BrandMark } from "../components/Brand";
import { Panel } from "../components/Panel";
import { ErrorState } from "../components/states";

export function SignIn() {
  const { t } = useTranslation();
  const [token, setToken] = useState("");
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(token);
  };
  return (
    <main style={{ maxWidth: 420, margin: "12vh auto", padding: "0 1rem", display: "grid", gap: "1rem" }}>
      <BrandMark size={40} />
      <Panel title={t("signIn.title")}>
        <form onSubmit={submit} style={{ display: "grid", gap: "0.75rem" }}>
          <p className="muted">{t("signIn.body")}</p>
          <PasswordInput label={t("signIn.token")} value={token} onChange={(e) => setToken(e.currentTarget.value)} required autoComplete="off" />
          {signIn.error && <ErrorState error={signIn.error} inline />}
          <Button type="submit" loading={signIn.isPending}>
            {t("signIn.submit")}
          </Button>
        </form>
      </Panel>
    </main>
  );
}
