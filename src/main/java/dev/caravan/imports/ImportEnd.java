package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.job.JobLoad;
import dev.caravan.job.camel.JobLoads;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Last step of an import: it fails when a file did, with the code of one that may pass if any. */
final class ImportEnd implements Processor {

  @Override
  public void process(Exchange exchange) {
    List<JobLoad> files = JobLoads.of(exchange).ended();
    List<JobLoad> failed = files.stream().filter(file -> file.code() != null).toList();
    if (failed.isEmpty()) {
      return;
    }
    JobLoad first =
        failed.stream().filter(f -> f.code().retryable()).findFirst().orElse(failed.get(0));
    throw new CaravanException(
        first.code(),
        files.size() == 1
            ? first.message()
            : "%d of %d files failed, among them %s: %s"
                .formatted(failed.size(), files.size(), first.label(), first.message()));
  }
}
