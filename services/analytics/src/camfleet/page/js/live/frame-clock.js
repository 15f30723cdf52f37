// Calls back for each frame the video shows, with that frame's media time.

export function onEachFrame(video, shown) {
  if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) {
    const next = (_, frame) => {
      shown(frame.mediaTime);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    return;
  }
  const next = () => {
    if (!video.paused) shown(video.currentTime);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}
