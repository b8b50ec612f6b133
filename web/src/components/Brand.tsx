// A bastion seen from above: the walls, and the keep inside.
export function BrandMark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path fill="var(--rd-accent)" d="M16 2 20.6 7.4 27 6.6 25.4 13 30 17.4 24.6 20.8 24.4 27.4 18.4 26 16 30 13.6 26 7.6 27.4 7.4 20.8 2 17.4 6.6 13 5 6.6 11.4 7.4Z" />
      <path fill="var(--rd-surface)" d="M10.4 12h2.7v1.9h1.6V12h2.6v1.9h1.6V12h2.7v4.2h-1.3v5.2h-8.6v-5.2h-1.3z" />
    </svg>
  );
}
