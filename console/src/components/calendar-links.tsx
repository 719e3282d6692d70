// The addresses of the calendar, and the switch between it and the axis of the Overview.

/** Returns the address of a year, or of one of its days, `2026-11-25`. */
export function calendarHref(year: number, of: { job?: string | undefined; day?: string } = {}): string {
  const day = of.day === undefined ? "" : `/${of.day.slice(5)}`;
  const job = of.job === undefined ? "" : `?job=${encodeURIComponent(of.job)}`;
  return `/console/calendar/${year}${day}${job}`;
}

export function ViewSwitch({ here }: { here: "axis" | "calendar" }) {
  return (
    <nav class="switch small" aria-label="Past and coming due times as">
      <a href="/console/" aria-current={here === "axis" ? "true" : undefined}>
        Axis
      </a>
      <a href={calendarHref(new Date().getFullYear())} aria-current={here === "calendar" ? "true" : undefined}>
        Calendar
      </a>
    </nav>
  );
}
