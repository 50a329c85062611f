"""The only entry: pages, tiles, values and login of one city, all behind one gate."""

import streamlit as st

from app.routes import exception_handlers, lifespan, middleware, routes

app = st.App(
    "app/main.py",
    routes=routes,
    middleware=middleware,
    lifespan=lifespan,
    exception_handlers=exception_handlers,
)
