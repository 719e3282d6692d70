interface Schedule {
  schedule_time?: string | null | undefined;
  schedules?: readonly string[] | null | undefined;
}

/** Returns the lines of a job's schedule, each of them cron's five fields or a word for them: one is `schedule_time`, several are `schedules`. */
export function scheduleLines({ schedules, schedule_time }: Schedule): string[] {
  if (schedule_time == null) return [...(schedules ?? [])];
  return [schedule_time, ...(schedules ?? []).filter((one) => one !== schedule_time)];
}
