-- Queue a file for a job's thread. 1: queued; 0: one of this name was queued or posted before.

local job, channel, name, apology, keep, blob, file, title, alt = unpack(ARGV)
return thread('file', job, channel, name, NEWS, apology, '[]', keep, now_ms(), 'blob', blob, 'file', file,
  'title', title, 'alt', alt) and 1 or 0
