// The pages that the first view does not need, and the palette: one file, which the browser loads when somebody opens or points at one of them.
export { Palette } from "../components/palette.tsx";
export { CalendarPage } from "./calendar.tsx";
export { DiffPage } from "./diff.tsx";
export { EditPage, NewPage } from "./edit.tsx";
export { ExplainPage } from "./explain.tsx";
export { LogPage } from "./log.tsx";
export { MailPage } from "./mail.tsx";
export { SystemPage } from "./system.tsx";
export { TokensPage } from "./tokens.tsx";
export { VersionsPage } from "./versions.tsx";
