// The frame around every page: navigation at the side, on a phone at the bottom.
import { Activity, BookOpen, Search, Stethoscope, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, useLocation } from "react-router";
import { useSession } from "../api/session";
import { useLinkState } from "../state/live";
import { BrandMark } from "./Brand";
import { InstanceList } from "./InstanceList";
import { SettingsMenu } from "./SettingsMenu";
import styles from "./shell.module.css";

const screens = [
  { to: "/monitor", key: "monitor", icon: Activity },
  { to: "/analyze", key: "analyze", icon: Stethoscope },
  { to: "/search", key: "search", icon: Search },
  { to: "/knowledge", key: "knowledge", icon: BookOpen },
] as const satisfies readonly { to: string; key: string; icon: LucideIcon }[];

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const link = useLinkState();
  const { pathname } = useLocation();
  return (
    <>
      <a className={styles.skip} href="#main">
        {t("app.skip")}
      </a>
      <div className={styles.layout}>
        <header className={styles.top}>
          <BrandLink />
          <SettingsMenu />
        </header>
        <SideBar />
        <main id="main" className={styles.main} tabIndex={-1}>
          {link === "lost" && (
            <p className={styles.banner} role="status">
              {t("app.linkLost")}
            </p>
          )}
          <div className={styles.content}>
            {pathname.startsWith("/monitor") && (
              <div className={styles.strip}>
                <InstanceList />
              </div>
            )}
            {children}
          </div>
        </main>
        <nav className={styles.tabs} aria-label={t("app.menu")}>
          {screens.map(({ to, key, icon: Icon }) => (
            <NavLink key={to} to={to} className={({ isActive }) => `${styles.tab} ${isActive ? styles.tabActive : ""}`}>
              <Icon size={20} aria-hidden="true" />
              {t(`navShort.${key}`)}
            </NavLink>
          ))}
        </nav>
      </div>
    </>
  );
}

function BrandLink() {
  return (
    <Link to="/start" className={styles.brand}>
      <BrandMark />
      Redoubt
    </Link>
  );
}

function SideBar() {
  const { t } = useTranslation();
  const session = useSession();
  return (
    <div className={styles.side}>
      <BrandLink />
      <nav aria-label={t("app.menu")}>
        <ul className={styles.list}>
          {screens.map(({ to, key, icon: Icon }) => (
            <li key={to}>
              <NavLink to={to} className={({ isActive }) => `${styles.link} ${isActive ? styles.active : ""}`}>
                <Icon size={17} aria-hidden="true" />
                {t(`nav.${key}`)}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <InstanceList />
      <footer className={styles.foot}>
        <SettingsMenu />
        {session.data && <span className="num">{t("app.version", { version: session.data.version })}</span>}
      </footer>
    </div>
  );
}
