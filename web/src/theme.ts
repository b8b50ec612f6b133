import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = [
  "#eef4f9", "#dce8f1", "#b9d0e3", "#91b6d5", "#82bce8", "#4a86b5", "#2f6d9c", "#1d567e", "#184869", "#123650",
];
const dark: MantineColorsTuple = [
  "#e8e7e3", "#c9c8c3", "#a5a49d", "#7d7c77", "#43474d", "#2b2e32", "#202327", "#121315", "#101113", "#0b0c0d",
];

export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 6 },
  colors: { ink, dark },
  fontFamily: "var(--rd-sans)",
  fontFamilyMonospace: "var(--rd-mono)",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  defaultRadius: 6,
  cursorType: "pointer",
  headings: { fontWeight: "620" },
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 } } },
  },
});

// Mantine's own surfaces follow our tokens, so that there is one palette.
const shared = {
  "--mantine-color-body": "var(--rd-bg)",
  "--mantine-color-text": "var(--rd-text)",
  "--mantine-color-dimmed": "var(--rd-muted)",
  "--mantine-color-placeholder": "var(--rd-muted)",
  "--mantine-color-default": "var(--rd-surface)",
  "--mantine-color-default-border": "var(--rd-line-strong)",
  "--mantine-color-error": "var(--rd-critical)",
};
export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
