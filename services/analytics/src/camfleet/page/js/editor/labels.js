// What the model of a pipeline can find: the labels a line or zone may be limited to.

import { askQuietly, pathOf } from "../base/api.js";

export async function labelsOf({ labels, model }) {
  if (labels.length) return labels;
  const manifest = await askQuietly(`/v1/models/${pathOf(model.split(":")[0])}/manifest`);
  return manifest?.labels ?? []; // the server is away: lines still count all objects
}
