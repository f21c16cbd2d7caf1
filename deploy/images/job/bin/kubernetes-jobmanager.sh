#!/bin/sh
# What Flink calls in native mode, where its own scripts are not.
exec /opt/scurry/start kubernetes-jobmanager "$@"
