"""Dispatch: who goes where, when and why. The files, from the pure computation up to the use cases.

The plan, on numbers alone (no database, also behind ``gridkeeper plan`` and ``vrptw``)
    ``plan_model`` problem, result and cost table; ``plan`` the ways in (`solve`, `start_of_shift`); ``plan_checks``
    what is set aside; ``plan_arrays`` the problem as arrays; ``plan_kernels``, ``plan_moves``, ``plan_search`` the
    compiled search (ruin and recreate); ``plan_routes`` routes in and out of it; ``plan_meet`` several workers who
    begin together; ``plan_cost`` the plain walk that prices a route; ``plan_words`` its words in both languages;
    ``plan_files``, ``vrptw`` problems out of files.
Questions about a plan, on numbers alone
    ``standing`` a plan that stands, ``filing`` one new task on it, ``explain`` why this worker,
    ``unserved`` what binds.
The standing plan of a territory
    ``situation``, ``situation_model`` the database as a problem (``store_situation``); ``standing_plan`` make it anew
    and read it; ``standing_ask`` why, what else, an offer at once; ``classify`` what is safe and what needs a person;
    ``standing_model``, ``standing_words``; ``snapshot``, ``store_plan``, ``forget`` how it is kept and how long;
    ``cover``, ``move_up`` where idle workers wait. `app.dispatching` is the process that keeps it up to date.
What it rests on
    ``closures``, ``closure_model``, ``store_closures`` closed streets and the network of now, ``street_names`` which
    street is meant by a name; ``costs`` the cost table.
Carrying out
    ``execution`` publish and choose by hand, ``execution_acts`` what a worker says, ``execution_model``,
    ``execution_store``; ``notices``, ``notice_store`` messages and answers that do not come.
The worker's page
    ``field``, ``field_model``, ``field_store``.
One incident at a time
    ``propose`` ranks who could go, ``service``, ``model``, ``store`` its use cases.
Days played again
    ``simulate``, ``simulate_model``, ``simulate_state``, ``simulate_rules``, ``simulate_days`` a day by one rule;
    ``what_if``, ``what_if_model``, ``what_if_words``, ``store_days`` a past day asked again.

Imports go downwards in this list's spirit: what computes knows no store, and no file here knows `app`.
"""
