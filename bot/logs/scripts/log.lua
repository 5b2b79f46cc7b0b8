-- What all scripts of the log feed know. A log is named by vCenter, host and log: the first three arguments.
--
-- cursor:<log> is a hash: next, mark, near (where reading goes on), wanted_until, hurry_until (a job or a
-- diagnosis wants it), watched (the watch did), every (ms between looks), and the lease: owner, until, epoch.
-- Times are in ms of the one clock. `blind` says why the log cannot be read at present; it is absent while it can.
local KEPT_FOR = 24 * 3600 * 1000

local cursor = key('cursor', ARGV[1], ARGV[2], ARGV[3])
local stream = key('feed', ARGV[1], ARGV[2], ARGV[3])
local now = now_ms()

local function number(field)
  return tonumber(redis.call('HGET', cursor, field) or '0')
end

local function text(field)
  return redis.call('HGET', cursor, field) or ''
end

local function keep()
  redis.call('PEXPIRE', cursor, KEPT_FOR)
  redis.call('PEXPIRE', stream, KEPT_FOR)
end
