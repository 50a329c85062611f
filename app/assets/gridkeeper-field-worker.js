"use strict";
/* The page and its files without a network: asked of the network first, else as they were last. No data stands here. */
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event, { pathname, origin } = new URL(request.url), isPage = pathname === "/field";
  const ours = isPage || /^\/assets\/gk\/gridkeeper-field|^\/login\/(icon|sans)/.test(pathname);
  if (ours && request.method === "GET" && origin === self.location.origin) {
    event.respondWith(answer(request, isPage));
  }
});

async function answer(request, isPage) {
  const kept = await caches.open("gridkeeper-field"), key = isPage ? "/field" : request, known = await kept.match(key);
  if (known && !isPage) {
    return known;
  }
  try {
    const options = { redirect: "manual", signal: AbortSignal.timeout(known ? 4000 : 60000) };
    const fresh = await fetch(isPage ? request.url : request, isPage ? options : {});
    if (fresh.ok) {
      await kept.delete(key, { ignoreSearch: true });
      await kept.put(key, fresh.clone());
    }
    return fresh;
  } catch (error) {
    return known || Promise.reject(error);
  }
}
