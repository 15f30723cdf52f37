// Times in the viewer's own zone; UTC where somebody looks closer.

import { make } from "./dom.js";

const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const clockTime = (date) => seconds.format(date);

export const clockMinutes = (date) => minutes.format(date);

export const withUtc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;

// "14:03:10", with the day in front when it was not today.
export function moment(date, now = new Date()) {
  const isToday = date.toDateString() === now.toDateString();
  return isToday ? seconds.format(date) : `${days.format(date)}, ${seconds.format(date)}`;
}

// The moment as an element, with UTC for who looks closer.
export const timeElement = (date, text = moment(date)) => make("time", { datetime: date.toISOString(), title: withUtc(date), text });
