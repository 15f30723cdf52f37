"""JavaScript that tells what the page draws on a live picture, and where."""

VIDEO = "document.querySelector('video')"
# How many opaque pixels of the box's colour the canvas has, and where they begin and end in x.
DRAWN = """(() => {
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let [count, left, right] = [0, canvas.width, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 200 || data[at] !== 56) continue;
    if (data[at + 1] !== 189 || data[at + 2] !== 248) continue;
    const x = (at / 4) % canvas.width;
    [count, left, right] = [count + 1, Math.min(left, x), Math.max(right, x)];
  }
  return { count, left: left / canvas.width, right: right / canvas.width };
})()"""
# For 20 shown frames: how far the middle of the tint is from that of the square in the same frame.
TINTED = """
const done = arguments[0];
const video = document.querySelector('video');
const canvas = document.querySelector('canvas');
const copy = new OffscreenCanvas(320, 180);
const offsets = [];
const middle = (data, width, row, is) => {
  const at = [...Array(width).keys()].filter((x) => is(data, (row * width + x) * 4));
  return at.length ? (at[0] + at.at(-1)) / 2 / width : null;
};
const look = () => {
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 320, 180);
  const shown = pen.getImageData(0, 0, 320, 180).data;
  const seen = middle(shown, 320, 80, (d, i) => d[i] > 170 && d[i + 1] > 170);
  const row = Math.round(canvas.height * 80 / 180);
  const drawn = middle(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data,
    canvas.width, row, (d, i) => d[i + 3] > 60 && d[i + 3] < 140 && d[i + 2] > 180 && d[i] < 120);
  if (seen !== null && drawn !== null) offsets.push(Math.abs(seen - drawn));
  if (offsets.length < 20) video.requestVideoFrameCallback(look); else done(offsets);
};
video.requestVideoFrameCallback(look);
"""
# For 20 shown frames: how far the drawn box is from the white square in the very same frame.
OFFSETS = """
const done = arguments[0];
const video = document.querySelector('video');
const canvas = document.querySelector('canvas');
const copy = new OffscreenCanvas(320, 180);
const offsets = [];
const edge = (data, width, row, is) => {
  for (let x = 0; x < width; x += 1) if (is(data, (row * width + x) * 4)) return x / width;
  return null;
};
const look = () => {
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 320, 180);
  const shown = pen.getImageData(0, 0, 320, 180).data;
  const seen = edge(shown, 320, 80, (d, i) => d[i] > 170 && d[i + 1] > 170);
  const row = Math.round(canvas.height * 80 / 180);
  const drawn = edge(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data,
    canvas.width, row, (d, i) => d[i + 3] > 150 && d[i + 2] > 180 && d[i] < 120);
  if (seen !== null && drawn !== null) offsets.push(Math.abs(seen - drawn));
  if (offsets.length < 20) video.requestVideoFrameCallback(look); else done(offsets);
};
video.requestVideoFrameCallback(look);
"""
