// Pictures that come as bytes, one in place of the other.

export function showJpeg(image, bytes) {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
}
