// Times in the viewer's own zone; UTC where somebody looks closer.

const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const clockMinutes = (date) => minutes.format(date);

export const withUtc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;

// "14:03:10", with the day in front when it was not today.
export function moment(date, now = new Date()) {
  const isToday = date.toDateString() === now.toDateString();
  return isToday ? seconds.format(date) : `${days.format(date)}, ${seconds.format(date)}`;
}

export function ago(date, now = new Date()) {
  const past = Math.max(0, (now - date) / 1000);
  if (past < 90) return `${Math.round(past)} s ago`;
  if (past < 5400) return `${Math.round(past / 60)} min ago`;
  if (past < 129_600) return `${Math.round(past / 3600)} h ago`;
  return `${Math.round(past / 86_400)} days ago`;
}
