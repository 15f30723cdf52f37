// Whether an element is looked at: on screen, in a tab that is seen. Leaving counts after a moment.

const GRACE_MS = 4000;

export function whenWatched(element, { watched, left }) {
  let onScreen = false;
  let timer = 0;
  const decide = () => {
    clearTimeout(timer);
    if (onScreen && !document.hidden) watched();
    else timer = setTimeout(left, GRACE_MS);
  };
  const observer = new IntersectionObserver(
    ([entry]) => {
      onScreen = entry.isIntersecting;
      decide();
    },
    { rootMargin: "120px" },
  );
  observer.observe(element);
  document.addEventListener("visibilitychange", decide);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("visibilitychange", decide);
  };
}
