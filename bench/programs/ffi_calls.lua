-- The loops of ctypes_calls.py through LuaJIT's FFI.
local ffi = require("ffi")
ffi.cdef [[
struct point { double x, y; int tag; };
int add(int, int); double mul(double, double); size_t length(const char *); int tag(const struct point *);
typedef long time_t; struct timespec { time_t s; long ns; }; int clock_gettime(int, struct timespec *);
double c_add(int); double c_mul(int); double c_length(int); double c_tag(int);
]]
local lib = ffi.load(arg[1])
local ts = ffi.new("struct timespec")
local function now() ffi.C.clock_gettime(1, ts) return tonumber(ts.s) * 1e9 + tonumber(ts.ns) end
local bit = require("bit")
local loops = {
  add = function(n) local s = 0 for i = 0, n - 1 do s = lib.add(bit.band(s, 0xffff), i) end return s end,
  mul = function(n) local s = 1.0 for i = 0, n - 1 do s = lib.mul(s, 1.0000001) end return s end,
  length = function(n) local s, t = 0, "native" for i = 0, n - 1 do s = s + tonumber(lib.length(t)) end return s end,
  tag = function(n) local s, p = 0, ffi.new("struct point", 1, 2, 3) for i = 0, n - 1 do s = s + lib.tag(p) end return s end,
}
local function median(t) table.sort(t) return t[math.floor(#t / 2) + 1] end
for _, name in ipairs { "add", "mul", "length", "tag" } do
  local ours, ratios, n = {}, {}, 50000
  loops[name](n)
  for i = 1, 60 do
    local t = now()
    loops[name](n)
    ours[i] = (now() - t) / n
    ratios[i] = ours[i] / lib["c_" .. name](n)
  end
  print(string.format("@ %s %.2f %.3f", name, median(ours), median(ratios)))
end
