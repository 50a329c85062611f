"use strict";
/* What both pages share: a scripted walk over the map, its frames and long tasks. The page gives `drive`. */

window.longTasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => window.longTasks.push(one.duration))).observe({ entryTypes: ["longtask"] });

const nextFrame = () => new Promise((done) => requestAnimationFrame(done));

async function settled(idle) {
  await new Promise((done) => setTimeout(done, 40));
  while (!idle()) {
    await nextFrame();
  }
}

/** Do an act and return {settled, frames, long}: seconds, milliseconds between frames, milliseconds of long tasks. */
window.measured = async (name) => {
  const frames = [];
  let running = true;
  let last = performance.now();
  const count = (now) => {
    frames.push(now - last);
    last = now;
    if (running) {
      requestAnimationFrame(count);
    }
  };
  window.longTasks.length = 0;
  const began = performance.now();
  requestAnimationFrame(count);
  await window.drive[name]();
  running = false;
  return { settled: (performance.now() - began) / 1000, frames: frames.slice(1), long: window.longTasks.reduce((sum, one) => sum + one, 0) };
};

/** A pan as a hand does it, forty steps of a frame each, and three steps of zoom in and out, animated by Leaflet. */
window.walk = (map, idle) => ({
  pan: async () => {
    for (let step = 0; step < 40; step += 1) {
      map.panBy([20, 6], { animate: false });
      await nextFrame();
    }
    await settled(idle);
  },
  zoom: async () => {
    for (const by of [1, 1, -1, -1]) {
      const ended = new Promise((done) => map.once("zoomend", done));
      map.setZoom(map.getZoom() + by);
      await ended;
      await settled(idle);
    }
  },
});
