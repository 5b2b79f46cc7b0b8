-- Queue a file for a job's thread. 1: queued; 0: one of this name was queued or posted before.

local job, channel, name, apology, keep, blob = unpack(ARGV)
return thread('file', job, channel, name, NEWS, apology, '[]', keep, now_ms(), 'blob', blob) and 1 or 0
