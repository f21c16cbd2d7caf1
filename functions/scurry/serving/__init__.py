"""The processes: functions, worker, and the supervisor of all."""
