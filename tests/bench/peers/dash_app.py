# SPDX-License-Identifier: MIT
"""The dashboard as a Dash app, the way Dash's documentation shows: an interval in each tab of a browser asks for the data,
which the tab keeps."""
from dash import Dash, Input, Output, dash_table, dcc, html

import fleet_data

app = Dash(__name__, title="Fleet")
server = app.server
app.layout = html.Div([
    dcc.Interval(id="tick", interval=fleet_data.INTERVAL * 1000),
    dcc.Store(id="fleet"),
    dcc.Tabs(id="tab", value="overview", children=[
        dcc.Tab(label="Overview", value="overview"),
        dcc.Tab(label="Heatmap", value="heatmap"),
    ]),
    html.Div(id="page"),
])


@app.callback(Output("fleet", "data"), Input("tick", "n_intervals"))
def load(_):
    return {**fleet_data.predictions(), "status": fleet_data.status(), "scenario": fleet_data.scenario()}


@app.callback(Output("page", "children"), Input("tab", "value"), Input("fleet", "data"))
def show(tab, fleet):
    if not fleet:
        return "Loading"
    frame = fleet_data.table(fleet)
    names = html.P("Servers: " + ", ".join(frame["server"]))
    if tab == "heatmap":
        return [dcc.Graph(figure=fleet_data.heatmap(frame)), names]
    columns = [{"name": name, "id": name} for name in frame.columns]
    return [
        html.P(f"{len(frame)} servers, scenario {fleet['scenario'].get('scenario', '?')}"),
        dcc.Graph(figure=fleet_data.bars(frame)),
        dash_table.DataTable(frame.to_dict("records"), columns),
        names,
    ]
