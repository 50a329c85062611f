"""A peer of bench_dispatch.py: routes by the library named first, after CPU seconds; answers as one JSON line.

python peer_dispatch.py LIBRARY INSTANCE.npz SECONDS [SEED]
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np

Routes = dict[int, list[int]]
OFF = 1_000_000
"""Seconds of a way that must not be taken."""
QUICK, TRIES, ENOUGH = 0, 3, 0.9
"""VROOM: level of exploration (within a limit, higher ones found longer ways),
and how often it is asked until it had so much of its seconds."""
SPENT: dict[str, float] = {}
"""CPU seconds of the last try, where there were several."""


def pyvrp(p: Any, seconds: float, seed: int) -> Routes:
    """One matrix a set of skills, in which a task that needs another skill is out of reach."""
    import pyvrp as library

    ways, skills = p["T"], p["worker_skills"]
    workers, tasks = len(skills), len(p["skill"])
    places = workers + tasks + 1  # the last one is where everybody may end
    sets, profile = np.unique(skills, axis=0, return_inverse=True)
    distances, durations = [], []
    for each in sets:
        matrix = np.zeros((places, places), np.int64)
        matrix[:-1, :-1] = ways
        matrix[:-1, workers:-1][:, ~each[p["skill"]]] = OFF
        np.fill_diagonal(matrix, 0)
        distances.append(matrix)
        durations.append(matrix)
    locations = [library.Location(0, 0) for _ in range(places)]
    clients = [
        library.Client(
            workers + j,
            service_duration=int(p["service"][j]),
            tw_early=int(p["early"][j]),
            tw_late=int(p["due"][j]),
            prize=int(p["prize"][j]),
            required=False,
        )
        for j in range(tasks)
    ]
    depots = [library.Depot(w) for w in range(workers)] + [library.Depot(places - 1)]
    vehicles = [
        library.VehicleType(1, start_depot=w, end_depot=workers, tw_late=int(p["shift"]), profile=int(profile[w]))
        for w in range(workers)
    ]
    data = library.ProblemData(locations, clients, depots, vehicles, distances, durations)
    began = time.process_time()
    best = library.solve(data, lambda _: time.process_time() - began > seconds, seed=seed, display=False).best
    return {route.vehicle_type(): [int(visit) for visit in visits(route)] for route in best.routes()}


def visits(route: Any) -> list[int]:
    """Return the clients of a route of PyVRP, counted from zero."""
    return [int(each.idx) for each in route if each.is_client()]


def vroom(p: Any, seconds: float, seed: int) -> Routes:
    """Skills, windows and priorities as it has them, at its quickest level.

    Its limit is one of the wall: where the machine gave it less CPU than that, it is asked again with more.
    """
    import vroom as library

    workers, tasks = len(p["worker_skills"]), len(p["skill"])
    problem = library.Input()
    problem.set_durations_matrix("car", p["T"].astype(np.uint32))
    for w in range(workers):
        skills = {int(s) for s in np.flatnonzero(p["worker_skills"][w])}
        shift = library.TimeWindow(0, int(p["shift"]))
        problem.add_vehicle(library.Vehicle(w, start=w, skills=skills, time_window=shift))
    for j in range(tasks):
        window = library.TimeWindow(int(p["early"][j]), int(p["due"][j]))
        job = library.Job(
            j,
            workers + j,
            default_service=int(p["service"][j]),
            skills={int(p["skill"][j])},
            priority=int(100 - 40 * p["priority"][j]),
            time_windows=[window],
        )
        problem.add_job(job)
    limit = seconds
    for _ in range(TRIES):
        cpu, wall = time.process_time(), time.perf_counter()
        found = problem.solve(exploration_level=QUICK, nb_threads=1, timeout=dt.timedelta(seconds=limit)).routes
        SPENT["vroom"] = time.process_time() - cpu
        if SPENT["vroom"] > ENOUGH * seconds or time.perf_counter() - wall < ENOUGH * limit:
            break
        limit *= seconds / SPENT["vroom"]
    found = found[found["type"] == "job"]
    return {int(w): [int(j) for j in rows["id"]] for w, rows in found.groupby("vehicle_id", sort=False)}


def ortools(p: Any, seconds: float, seed: int) -> Routes:
    """Guided local search from the cheapest insertion, place by place: the parallel one has no plan yet after 5 s."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    workers, tasks = len(p["worker_skills"]), len(p["skill"])
    places = workers + tasks + 1
    manager = pywrapcp.RoutingIndexManager(places, workers, list(range(workers)), [places - 1] * workers)
    routing = pywrapcp.RoutingModel(manager)
    ways = np.zeros((places, places), np.int64)
    ways[:-1, :-1] = p["T"]
    ways[:, :workers] = 0
    service = np.concatenate([np.zeros(workers, np.int64), p["service"].astype(np.int64), [0]])
    travel = routing.RegisterTransitMatrix(ways.tolist())
    routing.SetArcCostEvaluatorOfAllVehicles(travel)
    taken = routing.RegisterTransitMatrix((ways + service[:, None]).tolist())
    routing.AddDimension(taken, int(p["shift"]), int(p["shift"]), False, "time")
    clock = routing.GetDimensionOrDie("time")
    for j in range(tasks):
        node = manager.NodeToIndex(workers + j)
        clock.CumulVar(node).SetRange(int(p["early"][j]), int(p["due"][j]))
        able = [int(w) for w in np.flatnonzero(p["worker_skills"][:, p["skill"][j]])]
        routing.VehicleVar(node).SetValues([-1, *able])
        routing.AddDisjunction([node], int(p["prize"][j]))
    ask = pywrapcp.DefaultRoutingSearchParameters()
    ask.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    ask.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    ask.time_limit.FromSeconds(3600)
    began = time.process_time()
    routing.AddSearchMonitor(routing.solver().CustomLimit(lambda: time.process_time() - began > seconds))
    found = routing.SolveWithParameters(ask)
    routes: Routes = {}
    for w in range(workers if found else 0):
        index, route = routing.Start(w), []
        while not routing.IsEnd(index):
            node = manager.IndexToNode(index)
            if node >= workers:
                route.append(node - workers)
            index = found.Value(routing.NextVar(index))
        routes[w] = route
    return routes


def main() -> None:
    """Answer with routes, CPU seconds and version."""
    library, instance, seconds, *seed = sys.argv[1:]
    p = dict(np.load(instance))
    began = time.process_time()
    routes = {"pyvrp": pyvrp, "vroom": vroom, "ortools": ortools}[library](p, float(seconds), int((seed or ["1"])[0]))
    spent = SPENT.get(library, time.process_time() - began)
    name = "pyvroom" if library == "vroom" else library
    print(json.dumps({"routes": routes, "cpu_s": spent, "version": version(name)}))  # noqa: T201


if __name__ == "__main__":
    main()
