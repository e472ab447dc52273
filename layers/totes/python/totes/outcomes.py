"""How a run can end well: words that the state machine says and the command line reads."""

LOADED = "loaded"
NOTHING_CHANGED = "nothing changed"
ANOTHER_RUN = "another run is under way"
