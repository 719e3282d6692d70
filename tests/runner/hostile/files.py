"""Scripts that try to read or write files outside the sandbox."""

from runner.hostile.case import Hostile

FILES = {
    "reads_the_password_file": Hostile("attempt(lambda: open('/etc/passwd').read())"),
    "reads_the_environment_of_everybody": Hostile(
        """
import os
assert not os.environ, os.environ
attempt(lambda: open('/proc/self/environ').read())
attempt(lambda: open(f'/proc/{os.getppid()}/environ').read())
attempt(lambda: open('/proc/1/environ').read())
"""
    ),
    "looks_around_in_proc": Hostile(
        """
import os
for path in ('/proc', '/proc/self/maps', '/proc/self/mem', '/proc/self/fd', '/proc/net/tcp', '/proc/mounts', '/proc/cpuinfo'):
    attempt(os.listdir, path)
    attempt(lambda: open(path, 'rb').read(10))
"""
    ),
    "lists_the_root_and_home": Hostile(
        """
import os
for path in ('/', '/root', '/home', '/tmp', '/var', '/dev', '/sys', os.path.expanduser('~'), '.'):
    attempt(os.listdir, path)
"""
    ),
    "writes_a_file_wherever_it_can": Hostile(
        """
import os, sysconfig
for folder in ('/tmp', '/dev/shm', '/var/tmp', '/run', '.', sysconfig.get_path('purelib'), sysconfig.get_path('stdlib')):
    attempt(lambda: open(os.path.join(folder, 'hole'), 'w'))
    attempt(os.mkdir, os.path.join(folder, 'hole.d'))
"""
    ),
    "plants_code_where_the_next_run_imports_from": Hostile(
        """
import pandas, os
attempt(lambda: open(pandas.__file__, 'a'))
attempt(os.remove, pandas.__file__)
attempt(os.rename, pandas.__file__, pandas.__file__ + '.old')
attempt(os.symlink, '/tmp/evil.py', os.path.join(os.path.dirname(pandas.__file__), 'evil.py'))
attempt(os.chmod, pandas.__file__, 0o777)
attempt(os.truncate, pandas.__file__, 0)
attempt(os.utime, pandas.__file__, (1, 1))
"""
    ),
    "leaves_by_descriptor_tricks": Hostile(
        """
import os
for descriptor in range(64):
    attempt(os.open, '..', os.O_RDONLY, 0o777) if descriptor == 0 else None
    try:
        os.stat(descriptor)
    except OSError:
        continue
    attempt(lambda: os.listdir(descriptor))
    attempt(lambda: os.open('etc/passwd', os.O_RDONLY, dir_fd=descriptor))
    attempt(os.fchdir, descriptor)
"""
    ),
    "has_only_its_own_descriptors": Hostile(
        """
import os
open_ones = []
for descriptor in range(1024):
    try:
        os.fstat(descriptor)
    except OSError:
        continue
    open_ones.append(descriptor)
assert len(open_ones) <= 6, open_ones
"""
    ),
    "reads_a_local_path_with_pandas": Hostile(
        """
attempt(pd.read_csv, '/etc/passwd')
attempt(pd.read_table, '/etc/hostname')
attempt(pd.read_csv, 'file:///etc/passwd')
attempt(pd.read_json, '/etc/passwd')
attempt(pd.read_pickle, '/tmp/x.pkl')
attempt(pd.read_parquet, '/tmp')
attempt(data.to_csv, '/tmp/out.csv')
attempt(data.to_pickle, '/tmp/out.pkl')
"""
    ),
    "reads_a_url_with_pandas": Hostile(
        """
attempt(pd.read_csv, 'http://127.0.0.1:8080/health/live')
attempt(pd.read_csv, 'http://169.254.169.254/latest/meta-data/')
attempt(pd.read_json, 'https://example.com/data.json')
attempt(pd.read_csv, 'ftp://127.0.0.1/x')
"""
    ),
    "maps_files_through_arrow": Hostile(
        """
import pyarrow as pa, pyarrow.csv
attempt(pa.memory_map, '/etc/passwd')
attempt(pa.OSFile, '/etc/passwd')
attempt(pyarrow.csv.read_csv, '/etc/passwd')
"""
    ),
    "opens_devices": Hostile(
        """
import os
for device in ('/dev/mem', '/dev/kmsg', '/dev/tty', '/dev/ptmx', '/dev/null', '/dev/fuse', '/dev/kvm', '/dev/userfaultfd'):
    attempt(os.open, device, os.O_RDWR)
"""
    ),
    "finds_the_services_own_code_and_settings": Hostile(
        """
import sys, os
for path in list(sys.path):
    for name in ('.env', 'nats.env', '../.env', '../../.env', 'nightmail_runner/settings.py'):
        attempt(lambda: open(os.path.join(path, name)).read())
attempt(__import__, 'nightmail_runner.sources.fetch')
attempt(__import__, 'nightmail_runner.settings')
attempt(__import__, 'nightmail_common.service.settings')
"""
    ),
}
