# SPDX-License-Identifier: MIT
"""The dashboard as a Streamlit app, with the three caches that the original's guide to optimization recommends: predictions
for one interval under a key of the time bucket, status and scenario for 2 s. It runs again once per interval by itself."""
import time

import streamlit as st

import fleet_data

st.set_page_config(page_title="Fleet", layout="wide")


@st.cache_data(ttl=fleet_data.INTERVAL, show_spinner=False)
def predictions(bucket):
    return fleet_data.predictions()


@st.cache_data(ttl=2, show_spinner=False)
def status():
    return fleet_data.status()


@st.cache_data(ttl=2, show_spinner=False)
def scenario():
    return fleet_data.scenario()


@st.fragment(run_every=fleet_data.INTERVAL)
def page():
    frame = fleet_data.table(predictions(int(time.time() / fleet_data.INTERVAL)))
    overview, heat = st.tabs(["Overview", "Heatmap"])
    with overview:
        columns = st.columns(3)
        columns[0].metric("Servers", len(frame))
        columns[1].metric("Scenario", scenario().get("scenario", "?"))
        columns[2].metric("Daemon", "up" if status().get("running") else "?")
        st.plotly_chart(fleet_data.bars(frame))
        st.dataframe(frame, hide_index=True)
    with heat:
        st.plotly_chart(fleet_data.heatmap(frame))
    names = ", ".join(frame["server"])
    st.caption(f"Servers: {names}")


page()
