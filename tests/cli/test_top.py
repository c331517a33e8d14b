# SPDX-License-Identifier: MIT

"""`shnd top`."""

import json
import signal
import time

from cli_support import FAILURE, PATIENCE, USAGE, CliTestCase, Shnd, main, repeat, run
from frames_support import connect, publish, receive
from process_support import Child
from terminal_support import CONTROL_C, Terminal

FAST = ('--interval', '0.05')

HEAD = ['ADDRESS', 'RATE/S', 'MB/S', 'DROPS/S', 'SUBSCRIBERS', 'FRAMES', 'STATE']

# 1 MB a frame.
SHAPE = (1000, 1000)


def row_of(terminal, address):
    """Its cells by their titles, or {} if it is not on the screen."""
    for row in terminal.rows[2:]:
        cells = row.split(None, len(HEAD) - 1)
        if cells and cells[0] == address:
            return dict(zip(HEAD, cells))
    return {}


def run_publisher(connection, address):
    with Shnd.Publisher.new(address) as publisher:
        publish(publisher, 1)
        connection.send('there')
        signal.pause()


def flow(publisher):
    """Frames of 1 MB, until the end."""
    return repeat(lambda: publish(publisher, 1, SHAPE, 'u1'), 0.002)


class Top(CliTestCase):
    def publisher(self, **keywords):
        """One that admits subscribers, without having published."""
        publisher = super().publisher(**keywords)
        publisher.wait_subscribers(0)
        return publisher

    def top(self, *args, columns=120, **keywords):
        return Terminal('top', *FAST, *args, columns=columns, **keywords)

    def wait_for_cells(self, terminal, address=None, **cells):
        """Until the columns, here without what is no letter, have these values."""
        def is_there(_):
            row = {key.replace('/', '_'): value
                   for key, value in row_of(terminal, address or self.address).items()}
            return all(row.get(key) == value for key, value in cells.items())
        return terminal.wait_for(is_there)

    def wait_for_line(self, process, condition):
        """The next object that is as it should be."""
        for _ in range(1000):
            line = json.loads(process.stdout.readline())
            if condition(line):
                return line
        return self.fail('no such line')

    def leave(self, terminal):
        terminal.send('q')
        terminal.finish()
        self.assertTrue(terminal.is_restored)

    def test_idle(self):
        publisher = self.publisher()
        for i in range(3):
            publish(publisher, i)
        with self.top(self.address) as terminal:
            self.wait_for_cells(terminal, RATE_S='0.0', MB_S='0.0', DROPS_S='0.0', SUBSCRIBERS='0',
                                FRAMES='3', STATE='running')
            self.assertEqual(terminal.rows[1].split(), HEAD)
            self.assertIn('1 stream ', terminal.rows[0])
            self.assertEqual(publisher.get_n_subscribers(), 0)
            self.leave(terminal)

    def test_rates(self):
        publisher = self.publisher()
        def has_rates(terminal):
            row = row_of(terminal, self.address)
            rate, byte_rate = (float(row.get(key, '-').replace('-', '0'))
                               for key in ('RATE/S', 'MB/S'))
            # 1 MB each. Both at once: it may be read while it is drawn.
            return rate > 0 and abs(rate - byte_rate) < 0.2

        with self.top(self.address) as terminal, flow(publisher):
            terminal.wait_for(has_rates)
            self.leave(terminal)

    def test_subscribers_and_drops(self):
        publisher = self.publisher()
        subscribers = [self.subscriber(depth=1), self.subscriber(depth=1)]
        connect(publisher, *subscribers)
        with self.top(self.address) as terminal:
            self.wait_for_cells(terminal, SUBSCRIBERS='2')
            # Nobody takes them.
            with flow(publisher):
                terminal.wait_for(lambda _: row_of(terminal, self.address).get('DROPS/S', '-')
                                  not in ('-', '0.0'))
            subscribers[0].close()
            self.wait_for_cells(terminal, SUBSCRIBERS='1')
            self.leave(terminal)

    def test_all(self):
        """Streams come and go."""
        first = self.publisher()
        publish(first, 1)
        with self.top() as terminal:
            self.wait_for_cells(terminal, FRAMES='1', STATE='running')
            second = Shnd.Publisher.new(self.address + '-2')
            self.addCleanup(second.close)
            # It has not begun yet.
            self.wait_for_cells(terminal, self.address + '-2', STATE='not admitted', RATE_S='-')
            second.wait_subscribers(0)
            self.wait_for_cells(terminal, self.address + '-2', STATE='running')
            terminal.wait_for('2 streams ')
            first.close()
            terminal.wait_for('1 stream ')
            self.assertEqual(row_of(terminal, self.address), {})
            # Shown once.
            self.assertIn(b'ended', terminal.raw)
            second.close()
            terminal.wait_for('0 streams ')
            self.leave(terminal)

    def test_asked_for(self):
        """What was asked for stays, whether it is there or not."""
        with self.top(self.address, 'other', self.address) as terminal:
            self.wait_for_cells(terminal, STATE='not there', RATE_S='-', FRAMES='-')
            self.wait_for_cells(terminal, 'other', STATE='not there')
            terminal.wait_for('2 streams ')
            publisher = self.publisher()
            publish(publisher, 1)
            self.wait_for_cells(terminal, STATE='running', FRAMES='1')
            publisher.close()
            self.wait_for_cells(terminal, STATE='ended', SUBSCRIBERS='-', RATE_S='-')
            again = self.publisher()
            self.wait_for_cells(terminal, STATE='running', FRAMES='0', RATE_S='0.0')
            again.close()
            self.leave(terminal)

    def test_killed(self):
        with self.top(self.address) as terminal:
            with Child(run_publisher, self.address) as child:
                child.receive()
                self.wait_for_cells(terminal, STATE='running')
                child.kill()
                self.wait_for_cells(terminal, STATE='ended')
            self.leave(terminal)
        # What it has left.
        self.publisher().close()

    def test_not_admitted(self):
        publisher = self.publisher(max_subscribers=1)
        subscriber = self.subscriber()
        connect(publisher, subscriber)
        with self.top() as terminal:
            self.wait_for_cells(terminal, STATE='not admitted', SUBSCRIBERS='-')
            subscriber.close()
            self.wait_for_cells(terminal, STATE='running', SUBSCRIBERS='0')
            self.leave(terminal)

    def test_path(self):
        publisher = self.publisher()
        with self.top(publisher.get_path()) as terminal:
            terminal.wait_for('running')
            self.leave(terminal)

    def test_control_c(self):
        self.publisher()
        with self.top() as terminal:
            self.wait_for_cells(terminal, STATE='running')
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)
            self.assertTrue(terminal.is_restored)

    def test_small(self):
        publishers = [Shnd.Publisher.new(f'{self.address}-{i}') for i in range(5)]
        for publisher in publishers:
            self.addCleanup(publisher.close)
            publisher.wait_subscribers(0)
        with self.top(columns=12, lines=5) as terminal:
            terminal.wait_for('… 3 more')
            terminal.resize(100, 24)
            self.wait_for_cells(terminal, self.address + '-4', STATE='running')
            self.leave(terminal)

    def test_lines(self):
        publisher = self.publisher()
        publish(publisher, 1)
        process = self.start('top', *FAST, self.address, 'other')
        begin = r'^\d\d:\d\d:\d\d '
        for _ in range(1000):
            line, other = (process.stdout.readline().decode().rstrip('\n') for _ in range(2))
            self.assertRegex(other, begin + '- - - - - not-there other$')
            # It is admitted, and was so the last time.
            if 'running' in line and ' - ' not in line:
                break
        self.assertRegex(line, begin + r'0\.0 0\.0 0\.0 0 1 running ' + self.address + '$')
        self.assertEqual(publisher.get_n_subscribers(), 0)
        self.interrupt(process)

        lines = run('top', *FAST, '--count', '2', 'other', 'more').stdout.splitlines()
        self.assertEqual([line.split()[-1] for line in lines], ['other', 'more'] * 2)

    def test_json(self):
        publisher, subscriber = self.pair()
        self.assertIsNotNone(subscriber)
        process = self.start('top', *FAST, '--json')
        with flow(publisher):
            # The subscriber takes none, so that frames are dropped.
            line, later = (self.wait_for_line(process, lambda line: line['rate'] and
                                              line['drop_rate']) for _ in range(2))
        self.interrupt(process)
        self.assertEqual(
            {key: line[key] for key in ('address', 'state', 'connected', 'subscribers',
                                        'frame_size')},
            {'address': self.address, 'state': 'running', 'connected': True, 'subscribers': 1,
             'frame_size': 1000000})
        self.assertGreater(later['frames'], line['frames'])
        self.assertGreater(later['dropped'], line['dropped'])
        self.assertAlmostEqual(line['byte_rate'], line['rate'] * 1e6, delta=1)
        self.assertLess(abs(line['time'] - time.time()), PATIENCE)
        self.assertEqual(sorted(line), sorted((
            'time', 'address', 'state', 'connected', 'rate', 'byte_rate', 'drop_rate',
            'subscribers', 'frames', 'dropped', 'frame_size')))

    def test_json_of_nothing(self):
        line, = run('top', *FAST, '-c', '1', '--json', 'nothing').stdout.splitlines()
        found = json.loads(line)
        self.assertEqual([found[key] for key in ('state', 'connected', 'rate', 'frames')],
                         ['not there', False, None, 0])
        self.assertEqual(run('top', *FAST, '-c', '1').stdout, '')

    def test_restarted(self):
        """The numbers begin again, and no rate is absurd."""
        process = self.start('top', '--json', '--interval', '0.02', self.address)
        for n in (1000, 3, 7):
            with Shnd.Publisher.new(self.address) as publisher:
                for i in range(n):
                    publish(publisher, i)
                while True:
                    line = json.loads(process.stdout.readline())
                    self.assertLessEqual(line['rate'] or 0, 1000 / 0.02)
                    self.assertGreaterEqual(line['rate'] or 0, 0)
                    if line['connected'] and line['frames'] == n and line['rate'] == 0:
                        break
        self.interrupt(process)

    def test_drops_that_were_none(self):
        """Who has missed the newest frame may get it after all: there are no new drops then."""
        publisher = self.publisher(depth=1)
        subscriber = self.subscriber()
        connect(publisher, subscriber)
        process = self.start('top', *FAST, '--json', self.address)
        for i in range(3):
            publish(publisher, i)
        self.wait_for_line(process, lambda line: line['dropped'] == 2 and line['rate'] == 0)
        for _ in range(2):
            receive(subscriber).release()

        def is_less(line):
            self.assertEqual(line['drop_rate'], 0)
            return line['dropped'] == 1

        self.wait_for_line(process, is_less)
        self.interrupt(process)

    def test_usage(self):
        self.run_error(USAGE, ('--interval', 'expected'), 'top', '--interval', '0')
        self.run_error(FAILURE, 'address', 'top', '')
        self.run_error(FAILURE, 'expected', 'top', 'x' * 300)


if __name__ == '__main__':
    main()
