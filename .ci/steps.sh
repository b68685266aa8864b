# Sourced by run and full: says what is being done, and in the end how long each step took.

step_names=()
step_seconds=()
step_began=0

close_step() {
    if ((${#step_names[@]} > 0)); then
        step_seconds+=($((SECONDS - step_began)))
    fi
    step_began=$SECONDS
}

# step NAME: ends the step before and begins another.
step() {
    close_step
    step_names+=("$*")
    printf '\n== %s (at %s s)\n' "$*" "$SECONDS"
}

# Ends the last step and prints the table.
table() {
    close_step
    local processor
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 || true)
    printf '\n== seconds of each step, on %s processors: %s\n' "$(nproc 2>/dev/null || echo '?')" "${processor:-unknown}"
    local i
    for i in "${!step_names[@]}"; do
        printf '%6d  %s\n' "${step_seconds[i]}" "${step_names[i]}"
    done
    printf '%6d  all\n' "$SECONDS"
}
