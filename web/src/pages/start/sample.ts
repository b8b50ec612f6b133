// A log as an operator would have it in hand: what the box of the start page contains.
export const sampleLog = `28713:M 22 Nov 2026 03:11:58.204 * Background saving started by pid 29120
28713:M 22 Nov 2026 03:12:01.871 * Background saving terminated with success
28713:M 22 Nov 2026 03:14:40.512 - DB 0: 1048576 keys (0 volatile) in 2097152 slots HT.
2026-11-22 03:14:43,017 ERROR [order-api] redis.exceptions.OutOfMemoryError: OOM command not allowed when used memory > 'maxmemory'.
2026-11-22 03:14:43,220 ERROR [order-api] SET cart:88213 failed: OOM command not allowed when used memory > 'maxmemory'.

# Memory
used_memory:1073742104
used_memory_human:1.00G
maxmemory:1073741824
maxmemory_human:1.00G
maxmemory_policy:noeviction
mem_fragmentation_ratio:1.04
# Stats
evicted_keys:0
expired_keys:0
# Errorstats
errorstat_OOM:count=18342
`;
