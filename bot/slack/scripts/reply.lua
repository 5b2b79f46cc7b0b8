-- Queue a reply, and a file with all of it if it was cut. 1: queued; 0: this key was queued or posted before.

local job, channel, name, final, text, blocks, keep, blob, apology, quiet = unpack(ARGV)
local now = now_ms()
local lane = final == '1' and FINAL or NEWS

if quiet == '1' and joined(job) then
  return 0
end

local fresh = thread('reply', job, channel, name, lane, text, blocks, keep, now)
if blob ~= '' then
  thread('file', job, channel, name, NEWS, apology, '[]', keep, now, 'blob', blob)
end
return fresh and 1 or 0
