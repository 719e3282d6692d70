"""What becomes of an event that asks for mail: done, handed back, or delivered again after a while."""

import random

import structlog

from nightmail_common.broker.work_queue import BROKER_ERRORS, Delivery, Patience, WorkQueue
from nightmail_common.contract.events import MailRequested, ResultReady, RunFailed
from nightmail_mailer.workflow import MailWorkflow

DURABLE = "mailer"
#: Events worked on at once. More than there are connections: one that waits for a retry's store or a large result
#: must not keep a connection from the next.
SLOTS = 12
#: An event whose mail hangs gives its slot to the next one after so long; so many may hang.
PATIENCE_SECONDS = 1.0
MAX_ASIDE = 100
#: From a mail that was not taken to the next try; doubled each time.
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
#: When a mailer stops, mails on their way may take so long; then they are handed back.
DRAIN_SECONDS = 4.0
HAND_BACK_SECONDS = 2.0
#: Mails that wait for their next try count as in flight at the broker: a server that refuses a hundred thousand for
#: now must not stop the others.
MAX_ACK_PENDING = 1_000_000

AsksForMail = ResultReady | RunFailed | MailRequested

logger = structlog.get_logger()


class Consumer:
    """Has the mails of each event sent, until the log says what became of all of them."""

    def __init__(self, work: MailWorkflow) -> None:
        self._work = work
        self.queue: WorkQueue[AsksForMail] = WorkQueue(
            DURABLE,
            [ResultReady, RunFailed, MailRequested],
            self._finish,
            MAX_ACK_PENDING,
            patience=Patience(PATIENCE_SECONDS, MAX_ASIDE),
        )

    async def _finish(self, delivery: Delivery[AsksForMail]) -> float | None:
        """Work on an event; return None when it is done, or in how many seconds it is to be delivered again."""
        try:
            done = await self.queue.or_give_up(self._work_on(delivery))
            if done is None:
                logger.info("mail_handed_back")
                return 0.0
            if done:
                return None
        except (*BROKER_ERRORS, TimeoutError) as error:
            logger.warning("mail_postponed", error=str(error) or type(error).__name__)
        except Exception:
            # Whatever is wrong with this one mail, it must neither be lost nor be tried without a pause.
            logger.exception("mail_cannot_be_made")
        return retry_wait(delivery.number)

    async def _work_on(self, delivery: Delivery[AsksForMail]) -> bool:
        match event := delivery.event:
            case ResultReady():
                return await self._work.mail_result(event, delivery.sequence, delivery.traceparent)
            case RunFailed():
                return await self._work.mail_failure(event, delivery.sequence, delivery.time, delivery.traceparent)
            case MailRequested():
                return await self._work.resend(event, delivery.traceparent)


def retry_wait(deliveries: int) -> float:
    """Return the seconds from a try to the next: exponential with jitter."""
    longest = min(FIRST_RETRY_SECONDS * 2.0 ** min(deliveries - 1, 16), LONGEST_RETRY_SECONDS)
    return random.uniform(longest / 2, longest)
