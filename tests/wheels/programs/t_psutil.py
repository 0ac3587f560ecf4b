"""The main job of psutil, with output that does not change."""
import psutil, os
p = psutil.Process()
print(p.pid == os.getpid(), p.memory_info().rss > 0, psutil.cpu_count() > 0, psutil.virtual_memory().total > 0, len(psutil.pids()) > 1, p.ppid() == os.getppid(), p.status())
try:
    psutil.Process(2 ** 30)
except psutil.NoSuchProcess as e:
    print(e)
