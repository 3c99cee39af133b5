// The cameras' newest pictures, each asked for again as soon as it has come.

const AGAIN_AFTER_MS = 2000; // a camera that has no picture just now

/** Keep the pictures in `place` fresh while somebody looks; `isWanted`: whether they are shown. */
export function watchCameras(place, { every_ms = 200, isWanted = () => true } = {}) {
  for (const image of place?.querySelectorAll("img[data-camera]") ?? []) {
    const ask = () => {
      if (document.hidden || !isWanted()) setTimeout(ask, every_ms);
      else image.src = `/preview.jpg?camera=${encodeURIComponent(image.dataset.camera)}&at=${Date.now()}`;
    };
    image.addEventListener("load", () => {
      image.parentElement.hidden = false;
      setTimeout(ask, every_ms);
    });
    image.addEventListener("error", () => {
      image.parentElement.hidden = true;
      setTimeout(ask, AGAIN_AFTER_MS);
    });
    ask();
  }
}
