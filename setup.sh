#!/usr/bin/env bash
# Sets this checkout up: Python packages, PostgreSQL with PostGIS, front-end libraries, compiled searches, what reports
# on paper need; for the tests a browser too.
#
#   ./setup.sh run | test      takes a moment and says nothing when all is there
#
# What needs the administrator (Debian packages) is installed where that is allowed: as root, or through sudo.
# Otherwise one line says what to run. Nothing is fetched but packages, from the indexes this machine is set to.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
level=${1:-run}
case $level in
  run) lock=requirements.lock steps=6 needed="python3-venv postgresql-postgis" ;;
  test) lock=requirements-dev.lock steps=7 needed="python3-venv postgresql-postgis chromium fonts-noto-cjk" ;;
  *) echo "usage: ./setup.sh run | test" >&2; exit 2 ;;
esac

venv=.venv
log=.set-up.log
stamps=$venv/stamps
began=$SECONDS
worked=

say() { printf '%s\n' "$*" >&2; }
step() { # NUMBER WHAT: names a step that has something to do
  if [ -z "$worked" ]; then
    say "Setting Gridkeeper up. The first time takes a few minutes; later starts skip this."
    : >$log
    worked=yes
  fi
  say "[$1/$steps] $2"
}
by_hand="On Debian run: apt-get install $needed (as root), then start again."
stop() { say "Set-up stopped: $*"; exit 1; }

# Runs a command with its output in the log; shows how many of TOTAL (when more than 1) lines matched PATTERN.
counted() { # TOTAL PATTERN COMMAND…
  local total=$1 pattern=$2 live=
  shift 2
  [ -t 2 ] && live=yes
  "$@" 2>&1 </dev/null 9>&- | tee -a "$log" | awk -v total="$total" -v pattern="$pattern" -v live="$live" '
    total > 1 && $0 ~ pattern {
      n++
      shown = n > total ? total : n
      if (live) { printf "\r      %d of %d", shown, total; fflush(); ended = 1 }
      else if (int(4 * shown / total) > quarter) { quarter = int(4 * shown / total); printf "      %d of %d\n", shown, total; fflush() }
    }
    total > 1 && /^Installing collected packages/ { printf "%s      unpacking\n", live ? "\r" : ""; fflush(); ended = 0 }
    END { if (ended) printf "\n" }' >&2 && return
  tail -n 15 "$log" >&2
  stop "the step above failed; the whole output is in $log"
}

digest() { cat "$@" | cksum; }
fresh() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; } # STAMP CONTENT

# --- Debian packages ------------------------------------------------------------------------------------------

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

may_install() { # PACKAGES…
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null && return
  [ -t 0 ] && [ -t 2 ] || return 1
  say "      Installing $* needs your password."
  sudo -v
}

updated=
debian() { # PACKAGES…
  if [ -z "$updated" ]; then
    counted 1 '^Reading package lists' as_root apt-get -q update
    updated=yes
  fi
  local total
  total=$(apt-get -s install --no-install-recommends "$@" 2>/dev/null | grep -c '^Inst') || total=1
  counted "$total" '^Setting up ' \
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"
}

# Debian's PostgreSQL starts a server of its own on installation; ours is private, so none is wanted.
debian_postgresql() {
  local folder=/etc/postgresql-common/createcluster.d
  as_root mkdir -p $folder
  echo 'create_main_cluster = false' | as_root tee $folder/gridkeeper.conf >/dev/null
  trap 'as_root rm -f /etc/postgresql-common/createcluster.d/gridkeeper.conf' EXIT
  debian postgresql-postgis
  as_root rm -f $folder/gridkeeper.conf
  trap - EXIT
}

# --- 1 Python -------------------------------------------------------------------------------------------------

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
complete() { recent "$1" && "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() { # prints the first Python that can make an environment, else the first that is recent enough
  local name usable=
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3; do
    case $(command -v "$name") in '' | "$PWD/$venv"/*) continue ;; esac
    if complete "$name"; then command -v "$name"; return; fi
    [ -z "$usable" ] && recent "$name" && usable=$(command -v "$name")
  done
  printf '%s' "$usable"
}

make_venv() {
  # scripts inside name the folder they were made for, so a moved checkout makes a new one
  if grep -qsF "$PWD/$venv" $venv/pyvenv.cfg && [ -e $venv/bin/pip ] && recent $venv/bin/python; then
    mkdir -p $stamps
    return
  fi
  local python package
  python=$(find_python)
  if [ -z "$python" ] && may_install python3 python3-venv; then
    step 1 "Python (Debian packages)"
    debian python3 python3-venv
    python=$(find_python)
  fi
  [ -n "$python" ] || stop "Python 3.11 or later is needed and was not found. $by_hand (Debian 12 or later; elsewhere set PYTHON=/path/to/python3.)"
  step 1 "Python environment in $venv ($("$python" -V 2>&1))"
  if ! complete "$python"; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    may_install "$package" || stop "$python cannot make an environment. $by_hand"
    debian "$package"
  fi
  rm -rf $venv
  "$python" -m venv $venv || stop "$python could not make an environment in $venv."
  mkdir -p $stamps
}

# --- 2 Python packages ----------------------------------------------------------------------------------------

pip() { $venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }

install_packages() {
  local wanted tops
  wanted="$lock $(digest $lock)"
  # the development lock holds all of the other one
  if ! fresh $stamps/packages "$wanted" &&
    ! { [ $level = run ] && fresh $stamps/packages "requirements-dev.lock $(digest requirements-dev.lock)"; }; then
    local total
    total=$(grep -c '==' $lock)
    step 2 "Python packages: $total, checked by hash"
    counted "$total" '^(Collecting|Requirement already satisfied)' pip install --progress-bar off --require-hashes -r $lock
    echo "$wanted" >$stamps/packages
  fi
  # an editable install knows the packages it saw, so a new one asks for it again
  tops="$(echo */__init__.py) $(digest pyproject.toml $lock)"
  if ! fresh $stamps/project "$tops"; then
    counted 1 '^Successfully installed' pip install --progress-bar off --no-deps --no-build-isolation -e .
    echo "$tops" >$stamps/project
  fi
}

# --- 3 PostgreSQL with PostGIS --------------------------------------------------------------------------------

has_postgis() {
  $venv/bin/python - >>$log 2>&1 9>&- <<'PYTHON'
import os, sys
from pathlib import Path
from core.errors import SourceUnavailable
from geodata.embedded import find_binaries
wanted = os.environ.get("GRIDKEEPER_POSTGRES_BIN")
try:
    find_binaries(Path(wanted) if wanted else None)
except SourceUnavailable as error:
    sys.exit(str(error))
PYTHON
}

install_postgis() {
  [ -z "${GRIDKEEPER_DATABASE_URL:-}" ] || return 0
  has_postgis && return
  step 3 "PostgreSQL with PostGIS (Debian packages)"
  may_install postgresql-postgis || stop "PostgreSQL with PostGIS is needed. $by_hand Elsewhere: conda env create -f environment.yml, or set GRIDKEEPER_POSTGRES_BIN."
  debian_postgresql
  has_postgis || { tail -n 2 $log >&2; stop "PostgreSQL was installed, but PostGIS was not found with it."; }
}

# --- 4 front-end libraries ------------------------------------------------------------------------------------

has_node() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null
}

install_assets() {
  local wanted omit=
  wanted=$(digest package-lock.json)
  if fresh node_modules/.set-up "test $wanted"; then return; fi
  if [ $level = run ]; then
    if fresh node_modules/.set-up "run $wanted"; then return; fi
    omit=--omit=dev
  fi
  step 4 "Front-end libraries by npm"
  PATH="$PWD/$venv/bin:$PATH"
  if ! has_node; then
    say "      Node 20 or later is not here; a copy comes as a Python package"
    counted 1 '^Collecting' pip install --progress-bar off --require-hashes -r requirements-node.lock
  fi
  counted 1 '^added' npm ci $omit --ignore-scripts --no-audit --no-fund
  echo "$level $wanted" >node_modules/.set-up
}

# --- 5 compiled searches --------------------------------------------------------------------------------------

# What numba compiles stays in the state folder; it looks at the time and size of each source, and so does this.
compile_searches() {
  local folder kernels wanted
  folder=${NUMBA_CACHE_DIR:-${GRIDKEEPER_STATE_DIR:-.state}/numba}
  kernels=$(grep -lE '^@(kernel|inner)$' */*.py)
  wanted="$PWD $(grep '^numba==' $lock | cut -d' ' -f1) $(digest core/kernels.py $kernels)"
  # shellcheck disable=SC2086
  if fresh "$folder/set-up" "$wanted" && [ -z "$(find $kernels -newer "$folder/set-up")" ]; then return; fi
  step 5 "Compiling the searches of dispatch, travel times, siting and grids (a minute, once)"
  mkdir -p "$folder"
  counted 1 '^$' $venv/bin/python -m app.compiled
  echo "$wanted" >"$folder/set-up"
}

# --- 6 reports on paper ---------------------------------------------------------------------------------------

text_layout="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

has_chinese() { ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || fc-list :lang=zh 2>/dev/null | grep -q .; }

# Without these the platform runs; a report is then HTML alone, and says so. 3 MB; fonts-noto-cjk is finer, but 57 MB.
install_reports() {
  local missing=() wanted
  wanted="$(digest $lock) $text_layout"
  fresh $stamps/reports "$wanted" && return
  # shellcheck disable=SC2206
  $venv/bin/python -c 'import weasyprint' >>$log 2>&1 9>&- || missing+=($text_layout)
  has_chinese || missing+=(fonts-wqy-microhei)
  if [ ${#missing[@]} -gt 0 ]; then
    step 6 "Text on paper for reports (Debian packages): ${missing[*]}"
    if may_install "${missing[@]}"; then debian "${missing[@]}"; else
      say "      Not installed; reports are HTML alone. On Debian run: apt-get install ${missing[*]} (as root)."
    fi
  fi
  echo "$wanted" >$stamps/reports
}

# --- 7 browser ------------------------------------------------------------------------------------------------

install_browser() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  has_chinese || missing+=(fonts-noto-cjk)
  [ ${#missing[@]} -gt 0 ] || return 0
  step 7 "Browser for the tests (Debian packages): ${missing[*]}"
  may_install "${missing[@]}" || stop "the browser tests need ${missing[*]}. $by_hand"
  debian "${missing[@]}"
}

# --------------------------------------------------------------------------------------------------------------

if command -v flock >/dev/null; then # one set-up at a time
  exec 9<"${BASH_SOURCE[0]##*/}"
  flock 9
fi
make_venv
install_packages
install_postgis
install_assets
compile_searches
install_reports
[ $level = run ] || install_browser
[ -z "$worked" ] || say "Set up in $((SECONDS - began)) s."
