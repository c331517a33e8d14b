# SPDX-License-Identifier: MIT

"""`shnd subscribe`: lines, files and streams of frames."""

import io
import json
import os
import re
import signal
import subprocess
import time
import types

from cli_support import (EXISTS, FAILURE, PATIENCE, SHND, TIMED_OUT, USAGE, CliTestCase, Shnd, main,
                         make_environment, np, run)
from files_support import in_namespace
from frames_support import BLOCK, publish
from picture_support import decode_png
from process_support import Child, wait_until

NUMBERS = np.random.default_rng(11)


def arrays():
    struct_dtype = np.dtype([('x', '<f8'), ('name', 'S3'), ('v', '>i2', 2)])
    return [np.arange(24, dtype='>f4').reshape(2, 3, 4), np.zeros((0, 3)), np.array(7.5),
            NUMBERS.random((400, 500)), np.zeros(3, struct_dtype), np.array(['a', 'bcd'])]


def send(publisher, array, **keywords):
    array = np.asarray(array)
    publish(publisher, array, array.shape, array.dtype, **keywords)


def read_all(data):
    """Arrays that come one after the other."""
    stream, found = io.BytesIO(data), []
    while stream.tell() < len(data):
        found.append(np.load(stream))
    return found


def publish_and_wait(connection, address):
    """A publisher that has published one frame, and does nothing more."""
    publisher = Shnd.Publisher.new(address)
    publisher.wait_subscribers(1, timeout=PATIENCE)
    publish(publisher, 1)
    connection.recv()


class SubscribeTestCase(CliTestCase):
    def subscribe(self, *args, **keywords):
        """The command, when it is known to the publisher."""
        publisher = self.publisher(overflow=BLOCK)
        process = self.start('subscribe', self.address, *args, **keywords)
        publisher.wait_subscribers(1, timeout=PATIENCE)
        return publisher, process

    def files(self, folder='rec'):
        return sorted(os.listdir(self.path(folder)))


class Lines(SubscribeTestCase):
    def test_text(self):
        publisher, process = self.subscribe()
        for array in (np.zeros((2, 3), 'u1'), np.array(5.0), np.zeros(0, 'i4')):
            send(publisher, array)
        publisher.close()
        result = self.finish(process)
        self.assertEqual(result.stderr, '')
        lines = [re.fullmatch(r' +(\d+) +(\d+\.\d\d m?s)  (.*)', line)
                 for line in result.stdout.splitlines()]
        self.assertEqual([(line[1], line[3]) for line in lines],
                         [('1', 'uint8  2x3'), ('2', 'float64  ()'), ('3', 'int32  0')])

    def test_age(self):
        publisher, process = self.subscribe()
        now = time.monotonic_ns()
        # Of another clock, maybe.
        for timestamp in (now - 5 * 10**9, now + 10**14):
            publish(publisher, 1, timestamp=timestamp)
        ages = [process.stdout.readline().decode()[6:].split()[:2] for _ in range(2)]
        self.assertEqual([unit for _, unit in ages], ['s', 's'])
        self.assertGreaterEqual(float(ages[0][0]), 5)
        self.assertLess(float(ages[1][0]), -1000)

        # Now and then one comes at once.
        for _ in range(100):
            publish(publisher, 1)
            age, unit = process.stdout.readline().decode()[6:].split()[:2]
            if unit == 'ms':
                break
        self.assertEqual(unit, 'ms')
        self.assertGreater(float(age), 0)
        self.interrupt(process)

    def test_json(self):
        publisher, process = self.subscribe('--json')
        metadata = {'number': 5, 'text': 'a\n"ü', 'x': 0.5, 'nan': float('nan'),
                    'inner': {'inf': float('inf')}, 'list': [1.5, float('-inf')], 'none': []}
        send(publisher, np.zeros((2, 3), '>f4'), metadata=metadata)
        # Each line is there before the next frame is.
        found = json.loads(process.stdout.readline())
        now = time.monotonic_ns()
        self.assertEqual((found['sequence'], found['dtype'], found['shape'], found['bytes'],
                          found['missed']), (1, '>f4', [2, 3], 24, 0))
        self.assertGreater(found['age'], 0)
        self.assertLessEqual(found['timestamp'] + found['age'] * 1e9, now + 1)
        self.assertEqual(found['metadata'],
                         {'number': 5, 'text': 'a\n"ü', 'x': 0.5, 'nan': None,
                          'inner': {'inf': None}, 'list': [1.5, None], 'none': []})
        self.assertNotIn('file', found)

        send(publisher, 1, timestamp=-2**63)
        found = json.loads(process.stdout.readline())
        self.assertEqual((found['timestamp'], found['age'], found['metadata']), (-2**63, None, {}))
        send(publisher, 1, timestamp=2**63 - 1)
        self.assertLess(json.loads(process.stdout.readline())['age'], -1e9)
        publisher.close()
        self.assertEqual(self.finish(process).stdout, '')

    def test_missed(self):
        process = self.start('subscribe', self.address, '--json')
        publisher = self.publisher()
        publisher.wait_subscribers(1, timeout=PATIENCE)
        publish(publisher, 1)
        self.assertEqual(json.loads(process.stdout.readline())['missed'], 0)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        for i in range(20):
            publish(publisher, i)
        process.send_signal(signal.SIGCONT)
        publisher.close()
        lines = [json.loads(line) for line in self.finish(process).stdout.splitlines()]
        self.assertEqual(lines[-1]['sequence'], 21)
        self.assertEqual(sum(line['missed'] + 1 for line in lines), 20)
        self.assertGreater(lines[-1]['missed'], 0)

    def test_latest(self):
        for args, expected in (((), [2, 3, 4, 5]), (('--latest',), [5])):
            publisher = self.publisher(depth=8)
            process = self.start('subscribe', self.address, '--json', *args)
            publisher.wait_subscribers(1, timeout=PATIENCE)
            publish(publisher, 1)
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            for i in range(4):
                publish(publisher, i)
            process.send_signal(signal.SIGCONT)
            publisher.close()
            lines = [json.loads(line) for line in self.finish(process).stdout.splitlines()]
            self.assertEqual([line['sequence'] for line in lines], expected)
            self.assertEqual(lines[0]['missed'], 4 - len(expected))

    def test_missed_in_text(self):
        publisher = self.publisher(depth=8)
        process = self.start('subscribe', self.address, '--latest')
        publisher.wait_subscribers(1, timeout=PATIENCE)
        publish(publisher, 1)
        self.assertNotIn(b'missed', process.stdout.readline())
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        for i in range(4):
            publish(publisher, i)
        process.send_signal(signal.SIGCONT)
        publisher.close()
        self.assertRegex(self.finish(process).stdout, r'\A +5 .*  3 missed\n\Z')

    def test_hostile(self):
        """What a terminal would obey is shown as text."""
        publisher, process = self.subscribe('--count', '2')
        send(publisher, np.zeros(1, [('\x1b[31m\n', 'u1')]))
        send(publisher, np.zeros(1, [('f' * 500, 'u1')]))
        lines = self.finish(process).stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertNotIn('\x1b', lines[0])
        self.assertIn('x1b[31m', lines[0])
        self.assertLess(len(lines[1]), 80)


class End(SubscribeTestCase):
    def test_count(self):
        publisher, process = self.subscribe('--count', '3')
        for i in range(3):
            publish(publisher, i)
        self.assertEqual(len(self.finish(process).stdout.splitlines()), 3)
        wait_until(lambda: publisher.n_subscribers == 0)

    def test_timeout(self):
        self.run_error(TIMED_OUT, 'no publisher', 'subscribe', self.address, '--timeout', '0.1')
        self.run_error(TIMED_OUT, 'no publisher', 'subscribe', self.address, '-t', '0')
        # One that is there already: it has not to come in time.
        publisher = self.publisher()
        publish(publisher, 1)
        publisher.wait_subscribers(0)
        result = run('subscribe', self.address, '--timeout', '1', status=TIMED_OUT)
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.assertRegex(result.stderr, r'\Ashnd: [^\n]*in time\n\Z')

    def test_killed(self):
        with Child(publish_and_wait, self.address) as child:
            process = self.start('subscribe', self.address)
            process.stdout.readline()
            child.kill()
            self.assert_error(self.finish(process, FAILURE), FAILURE, 'without having ended')
        # It has left its socket.
        self.publisher().close()

    def test_reconnect(self):
        process = self.start('subscribe', self.address, '--reconnect', '--json',
                             '--save', self.path('rec'), '--count', '6')
        for values in ([0, 1], [2], [3, 4, 5]):
            publisher = self.publisher(overflow=BLOCK)
            publisher.wait_subscribers(1, timeout=PATIENCE)
            for value in values:
                publish(publisher, value)
            publisher.close()
        lines = [json.loads(line) for line in self.finish(process).stdout.splitlines()]
        self.assertEqual([line['sequence'] for line in lines], [1, 2, 1, 1, 2, 3])
        # None replaces another.
        self.assertEqual(self.files(), [f'{i:08}.npy' for i in range(1, 7)])
        self.assertEqual([np.load(line['file'])[0] for line in lines], list(range(6)))

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start('subscribe', self.address)
            publisher = self.publisher()
            publisher.wait_subscribers(1, timeout=PATIENCE)
            publish(publisher, 1)
            process.stdout.readline()
            self.interrupt(process, number)
            publisher.close()

    def test_signal_while_frames_come(self):
        publisher, process = self.subscribe('--save', '-', stdout=subprocess.DEVNULL)
        for i in range(200):
            publish(publisher, i)
        process.send_signal(signal.SIGINT)
        while publisher.n_subscribers:
            publish(publisher, 1)
        self.finish(process, -signal.SIGINT)

    def test_closed_pipe(self):
        for args in ((), ('--json',), ('--save', '-')):
            publisher, process = self.subscribe(*args)
            process.stdout.close()
            process.stdout = None
            while publisher.n_subscribers:
                publish(publisher, 1)
            self.assertEqual(self.finish(process, -signal.SIGPIPE).stderr, '')
            publisher.close()

    def test_full_device(self):
        for args in ((), ('--json',), ('--save', '-')):
            with open('/dev/full', 'wb') as full:
                publisher, process = self.subscribe(*args, stdout=full)
                publish(publisher, 1)
                result = self.finish(process, FAILURE)
            self.assert_error(result, FAILURE, 'No space left')
            publisher.close()


class Saving(SubscribeTestCase):
    def test_folder(self):
        publisher, process = self.subscribe('--save', self.path('new/rec'), '--json')
        expected = arrays()
        for array in expected:
            send(publisher, array)
        publisher.close()
        lines = [json.loads(line) for line in self.finish(process).stdout.splitlines()]
        self.assertEqual(self.files('new/rec'), [f'{i:08}.npy' for i in range(1, 7)])
        self.assertEqual([line['file'] for line in lines],
                         [self.path(f'new/rec/{i:08}.npy') for i in range(1, 7)])
        self.assert_all_same([np.load(line['file']) for line in lines], expected)

    def test_text(self):
        publisher, process = self.subscribe('--save', self.path('a b\n'))
        publish(publisher, 1)
        publisher.close()
        line = self.finish(process).stdout
        self.assertTrue(line.endswith('a b\\n/00000001.npy\n'), line)

    def test_replaces(self):
        os.mkdir(self.path('rec'))
        with open(self.path('rec/00000001.npy'), 'wb') as file:
            file.write(b'old')
        publisher, process = self.subscribe('--save', self.path('rec'))
        publish(publisher, 7)
        self.assert_error(self.finish(process, EXISTS), EXISTS, '00000001.npy', '--force')
        publisher.close()
        with open(self.path('rec/00000001.npy'), 'rb') as file:
            self.assertEqual(file.read(), b'old')

        publisher, process = self.subscribe('--save', self.path('rec'), '--force')
        publish(publisher, 7)
        publisher.close()
        self.finish(process)
        self.assertEqual(np.load(self.path('rec/00000001.npy'))[0], 7)

    def test_stream(self):
        publisher = self.publisher(overflow=BLOCK)
        with open(self.path('stream'), 'wb') as file:
            process = self.start('subscribe', self.address, '--save', '-', stdout=file)
        publisher.wait_subscribers(1, timeout=PATIENCE)
        expected = arrays()
        for array in expected:
            send(publisher, array)
        publisher.close()
        self.finish(process)
        with open(self.path('stream'), 'rb') as file:
            self.assert_all_same(read_all(file.read()), expected)

    def test_numpy_reads_a_pipe(self):
        publisher, process = self.subscribe('--save', '-', '--json')
        # NumPy seeks in what it knows to be a file, and numpy.load() in anything.
        stream = types.SimpleNamespace(read=process.stdout.read)
        for i in range(3):
            send(publisher, np.full((100, 100), i))
            found = np.lib.format.read_array(stream)
            self.assertTrue((found == i).all())
        publisher.close()
        self.assertEqual(self.finish(process).stdout, '')

    def test_relay(self):
        """From one stream through a pipe into another, as between two machines."""
        publisher, first = self.subscribe('--save', '-')
        name = self.address + '-there'
        second = self.start('publish', name, '-', '--wait', '1', '--block', stdin=first.stdout)
        third = self.start('subscribe', name, '--save', self.path('rec'))
        expected = arrays()
        for array in expected:
            send(publisher, array)
        publisher.close()
        for process in (second, third):
            self.finish(process)
        self.assertEqual(first.wait(PATIENCE), 0)
        self.assert_all_same([np.load(self.path(f'rec/{name}')) for name in self.files()], expected)

    def test_png(self):
        pixels = NUMBERS.integers(0, 256, (7, 5, 3), np.uint8)
        grey = NUMBERS.integers(0, 256, (9, 4), np.uint8)
        publisher, process = self.subscribe('--save', self.path('rec'), '--png')
        send(publisher, pixels)
        send(publisher, grey)
        publisher.close()
        self.finish(process)
        self.assertEqual(self.files(), ['00000001.png', '00000002.png'])
        found = []
        for name in self.files():
            with open(self.path(f'rec/{name}'), 'rb') as file:
                found.append(decode_png(file.read()))
        self.assert_all_same(found, [pixels, np.repeat(grey[..., None], 3, -1)])

        publisher, process = self.subscribe('--save', '-', '--png', '--count', '1')
        send(publisher, pixels)
        self.assert_all_same([decode_png(self.finish(process).data)], [pixels])
        publisher.close()

    def test_no_picture(self):
        publisher, process = self.subscribe('--save', self.path('rec'), '--png')
        send(publisher, np.zeros((2, 2, 2, 2)))
        self.assert_error(self.finish(process, FAILURE), FAILURE)
        self.assertEqual(self.files(), [])

    def test_full_disk(self):
        publisher = self.publisher(overflow=BLOCK)
        script = ('"$SHND" subscribe "$1" --save "$2/rec"; echo "$?"; ls -A "$2/rec"')
        process = in_namespace(self.folder, script, self.address, self.folder,
                               options='size=96k,mode=1777', stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        publisher.wait_subscribers(1, timeout=PATIENCE)
        send(publisher, np.ones(5000))
        send(publisher, np.ones(5000))
        send(publisher, np.ones(5000))
        stdout, stderr = process.communicate(timeout=PATIENCE)
        lines = stdout.decode().splitlines()
        self.assertEqual(lines[2:], ['1', '00000001.npy', '00000002.npy'], stdout)
        self.assertRegex(stderr.decode(), r'\Ashnd: [^\n]*00000003\.npy[^\n]*space[^\n]*\n\Z')

    def test_errors(self):
        with open(self.path('file'), 'wb'):
            pass
        for target in ('file', 'file/rec'):
            self.run_error(FAILURE, ('expected a folder', target), 'subscribe', self.address,
                           '--save', self.path(target))
        os.mkdir(self.path('rec'))
        os.mkdir(self.path('rec/00000001.npy'))
        publisher, process = self.subscribe('--force', '--save', self.path('rec'))
        publish(publisher, 1)
        self.assert_error(self.finish(process, FAILURE), FAILURE, '00000001.npy')
        self.assertEqual(self.files(), ['00000001.npy'])


class Addresses(SubscribeTestCase):
    def test_absolute(self):
        path = self.path('socket')
        publisher = Shnd.Publisher.new(path)
        self.addCleanup(publisher.close)
        process = self.start('subscribe', path, '--count', '1')
        publisher.wait_subscribers(1, timeout=PATIENCE)
        publish(publisher, 1)
        self.finish(process)

    def test_invalid(self):
        self.run_error(FAILURE, 'a/b', 'subscribe', 'a/b')
        self.run_error(FAILURE, '.lock', 'subscribe', 'a.lock')
        self.run_error(FAILURE, 'at most', 'subscribe', '/' + 'x' * 200)

    def test_usage(self):
        for args, words in ((('--count', '0'), 'above 0'), (('--count', 'x'), 'x'),
                            (('--timeout=-1',), '-1'), (('--timeout', 'x'), 'x'),
                            (('--png',), '--save'), (('--format', 'ascii'), '--show'),
                            (('--show',), 'terminal'), (('--show', '--json'), 'either'),
                            (('again',), 'ADDRESS'), (('--bogus',), 'bogus')):
            self.run_error(USAGE, words, 'subscribe', self.address, *args)
        self.run_error(USAGE, 'ADDRESS', 'subscribe')

    def test_help(self):
        text = run('subscribe', '--help').stdout
        for word in ('--count', '--timeout', '--save', '--png', '--show', '--latest',
                     '--reconnect', '--json'):
            self.assertIn(word, text)

    def test_shell(self):
        """The way a script would use it."""
        publisher = self.publisher(overflow=BLOCK)
        process = subprocess.Popen(
            ['bash', '-c', 'set -o pipefail; "$0" subscribe "$1" | wc -l', SHND, self.address],
            env=make_environment(), stdout=subprocess.PIPE)
        publisher.wait_subscribers(1, timeout=PATIENCE)
        for i in range(5):
            publish(publisher, i)
        publisher.close()
        self.assertEqual(process.communicate(timeout=PATIENCE)[0], b'5\n')
        self.assertEqual(process.returncode, 0)


if __name__ == '__main__':
    main()
