//! The loop: lease an item, observe, decide, plan, apply, record; timers; sweeps.
