-- First result wins: many replies in one call, each with at most four commands.
-- KEYS: the answered counters; then for each reply: its marker, its result, [its reply stream], [the hash of a Cluster
--       Serving client and the stream of failures], parked keys …
-- ARGV: length and TTL of reply streams, seconds that parked outputs outlive their result, TTL of such hashes (0: none),
--       length of the stream of failures, number of counters, (field, replies, 1 to make it when there is none) …; then
--       for each reply: the marker of an id that is new, its shape, fields and values (beginning with id, status, model
--       and version), [the hash's value; empty: it is parked].
-- A shape is numbers with blanks between: marker TTL, keep, 1 when a reply stream is named, 1 when there is such a hash,
-- number of parked keys, number of fields and values. Most replies of a call have the same one.
-- A marker is lines: state (answered, or refused: nobody has an answer yet), token of the winner, digest of what was
-- asked, then the entries it has served, the newest 64 of them; a blank and an entry stand for all up to it.
-- Cases: 1 the id is new: this reply wins. 2 its entry was served already: a replay, dropped.
--        3 so far there were refusals only: this reply wins, or is the next refusal. 4 another digest: id_conflict.
--        5 a new entry with a known id: a retry, which gets the stored reply on its own stream.
-- The hash is written in cases 1 and 3; in 4 and 5 if there is none, so that every entry has an answer. What failed gets
-- NaN, and a line in the stream of failures.
-- Returns won, replayed, retried, refused (reply streams that are no streams), conflicts, then number and error of
-- each reply that could not be kept.
local call, try = redis.call, redis.pcall
local MOST_ENTRIES = 64
local length, ttl, grace = ARGV[1], ARGV[2], tonumber(ARGV[3])
local hash_ttl, failures_length = ARGV[4], ARGV[5]
local k, a, number = 2, 7, 0
local won, replayed, retried, refused, conflicts = 0, 0, 0, 0, 0
local renewed, failed, shapes = {}, {}, {}

for _ = 1, tonumber(ARGV[6]) do
  if ARGV[a + 2] == '1' or call('HEXISTS', KEYS[1], ARGV[a]) == 1 then
    call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1])
  end
  a = a + 3
end

local function fail(answer)
  failed[#failed + 1] = number
  failed[#failed + 1] = answer.err
end

local function append(stream, ...)
  local added = try('XADD', stream, 'MAXLEN', '~', length, '*', ...)
  if type(added) == 'table' and added.err then
    refused = refused + 1
  elseif not renewed[stream] then
    renewed[stream] = true
    call('EXPIRE', stream, ttl)
  end
end

local function append_error(stream, from, code, sentence)
  append(stream, 'id', ARGV[from + 1], 'status', 'error', 'model', ARGV[from + 5], 'version', ARGV[from + 7],
    'error', code, 'message', sentence)
end

local function unpark(from, count)
  if count > 0 then
    call('UNLINK', unpack(KEYS, from, from + count - 1))
  end
end

-- What a Cluster Serving client finds: the answer, or NaN, whose reason stands elsewhere.
local function tell(hash, failures, from, value, parked, count, write)
  local code, sentence = ARGV[from + 9], ARGV[from + 11]
  if value == '' then
    value = count > 0 and try('GET', KEYS[parked])
    if type(value) ~= 'string' then
      value, code, sentence = 'NaN', 'payload_missing', 'The answer was parked in Redis and is gone.'
    end
  end
  local written = try(write, hash, 'value', value)
  if type(written) == 'table' and written.err then
    fail(written)
    return
  end
  if hash_ttl ~= '0' then
    call('EXPIRE', hash, hash_ttl)
  end
  if value == 'NaN' then
    try('XADD', failures, 'MAXLEN', '~', failures_length, '*', 'key', hash, 'id', ARGV[from + 1], 'model',
      ARGV[from + 5], 'version', ARGV[from + 7], 'error', code or 'internal', 'message', sentence or '')
  end
end

-- The reply is the one that stands: kept under its result, its parked outputs with it.
local function stand(result, keep, from, to, parked, count, told)
  if keep ~= '0' then
    local written = try('HSET', result, unpack(ARGV, from, to))
    if type(written) == 'table' and written.err then
      fail(written)
    else
      call('EXPIRE', result, keep)
    end
  end
  if told and keep == '0' then
    unpark(parked, count)
    return
  end
  for i = parked, parked + count - 1 do
    call('EXPIRE', KEYS[i], keep + grace)
  end
end

local function later(one, other)
  local m1, s1 = string.match(one, '(%d+)-(%d+)$')
  local m2, s2 = string.match(other, '(%d+)-(%d+)$')
  if not m1 or not m2 then return false end
  if m1 == m2 then m1, m2 = s1, s2 end
  if #m1 ~= #m2 then return #m1 > #m2 end
  return m1 > m2
end

local function stream_of(entry)
  return string.match(entry, '^ ?(.*)/[^/]*$')
end

local function lines_of(marker)
  local lines = {}
  for line in string.gmatch(marker, '([^\n]*)\n') do
    lines[#lines + 1] = line
  end
  return lines
end

local function has_served(lines, entry)
  for i = 4, #lines do
    local line = lines[i]
    if line == entry then return true end
    if string.sub(line, 1, 1) == ' ' and stream_of(line) == stream_of(entry) and not later(entry, line) then
      return true
    end
  end
  return false
end

-- Takes out the oldest of too many entries; from then on all of its stream up to it count as served.
local function shorten(lines)
  local oldest, entries = nil, 0
  for i = 4, #lines do
    if string.sub(lines[i], 1, 1) ~= ' ' then
      entries = entries + 1
      if not oldest or later(lines[oldest], lines[i]) then oldest = i end
    end
  end
  if entries <= MOST_ENTRIES then return end
  local gone = table.remove(lines, oldest)
  for i = 4, #lines do
    if string.sub(lines[i], 1, 1) == ' ' and stream_of(lines[i]) == stream_of(gone) then
      if later(gone, lines[i]) then lines[i] = ' ' .. gone end
      return
    end
  end
  lines[#lines + 1] = ' ' .. gone
end

local function remember(marker, lines, entry, seconds)
  lines[#lines + 1] = entry
  shorten(lines)
  local left = call('TTL', marker)
  call('SET', marker, table.concat(lines, '\n') .. '\n', 'EX', math.max(left, tonumber(seconds)))
end

local function shape_of(text)
  local seconds, keep, streams, hashes, count, fields = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local shape = {seconds, keep, tonumber(streams), tonumber(count), tonumber(fields), tonumber(hashes)}
  shapes[text] = shape
  return shape
end

local last = #KEYS
while k <= last do
  number = number + 1
  local marker, result, mark = KEYS[k], KEYS[k + 1], ARGV[a]
  local shape = shapes[ARGV[a + 1]] or shape_of(ARGV[a + 1])
  local seconds, keep, streams, count = shape[1], shape[2], shape[3], shape[4]
  local from = a + 2
  local to = from + shape[5] - 1
  local stream, parked = KEYS[k + 2], k + 2 + streams + 2 * shape[6]
  local told = shape[6] == 1
  local hash, failures, value = KEYS[parked - 2], KEYS[parked - 1], ARGV[to + 1]

  if call('SET', marker, mark, 'NX', 'EX', seconds) then
    won = won + 1
    if told then
      tell(hash, failures, from, value, parked, count, 'HSET')
    end
    stand(result, keep, from, to, parked, count, told and streams == 0)
    if streams == 1 then
      append(stream, unpack(ARGV, from, to))
    end
  else
    local served = try('GET', marker)
    if type(served) == 'table' then
      fail(served)
    else
      local lines = lines_of(served)
      local state, token, digest, entry = string.match(mark, '^(.-)\n(.-)\n(.-)\n(.-)\n$')
      local again = has_served(lines, entry)
      if not again and lines[1] == 'refused' then
        lines[1], lines[2], lines[3] = state, token, digest
        remember(marker, lines, entry, seconds)
        won = won + 1
        call('UNLINK', result)
        if told then
          tell(hash, failures, from, value, parked, count, 'HSET')
        end
        stand(result, keep, from, to, parked, count, told and streams == 0)
        if streams == 1 then
          append(stream, unpack(ARGV, from, to))
        end
      else
        if told and not again then
          tell(hash, failures, from, value, parked, count, 'HSETNX')
        end
        if token == '' or lines[2] ~= token then
          unpark(parked, count)
        end
        if again then
          replayed = replayed + 1
        else
          remember(marker, lines, entry, seconds)
          if digest ~= '' and lines[3] ~= '' and lines[3] ~= digest then
            conflicts = conflicts + 1
            if streams == 1 then
              append_error(stream, from, 'id_conflict', 'This id was used before, for something else.')
            end
          else
            retried = retried + 1
            if streams == 1 then
              local stored = try('HGETALL', result)
              if #stored > 0 then
                append(stream, unpack(stored))
              else
                append_error(stream, from, 'already_answered',
                  'This id was answered before and the result was not kept.')
              end
            end
          end
        end
      end
    end
  end

  k = parked + count
  a = to + 1 + shape[6]
end

local counts = {won, replayed, retried, refused, conflicts}
for i = 1, #failed do
  counts[5 + i] = failed[i]
end
return counts
