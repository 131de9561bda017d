package dev.caravan.imports;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import dev.caravan.job.Effect;
import dev.caravan.job.camel.JobLoads;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.ColumnType;
import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.LoadRange;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.OnDrift;
import dev.caravan.pgload.OnError;
import dev.caravan.pgload.OnMissing;
import dev.caravan.pgload.TableName;
import dev.caravan.pgload.ValueFormats;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.TableOptions;
import dev.caravan.project.TablePlan;
import dev.caravan.source.sftp.FileStamp;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Route step for one file: what is loaded, where and how, by the project's rules. */
final class LoadPlanner implements Processor {

  private final BiFunction<Exchange, FileStamp, List<Effect>> effects;

  /**
   * @param effects what is to happen because a file of the job is loaded
   */
  LoadPlanner(BiFunction<Exchange, FileStamp, List<Effect>> effects) {
    this.effects = effects;
  }

  @Override
  public void process(Exchange exchange) {
    ImportFile file = exchange.getMessage().getBody(ImportFile.class);
    FileStamp stamp = file.stamp();
    ImportParameters parameters =
        exchange.getProperty(ImportFiles.PARAMETERS, ImportParameters.class);
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    describe(exchange.getMessage(), file);
    exchange.getMessage().setBody(file.content());
    job.onStop(file.abort());
    exchange.setProperty(JobLoads.EFFECTS, effects.apply(exchange, stamp));
    SftpImport of = SftpImport.of(exchange);
    exchange.getMessage().setHeader(CopyUpsertConstants.DATA_SOURCE, of.target());
    exchange
        .getMessage()
        .setHeader(CopyUpsertConstants.LOAD, load(of.project(), stamp.name(), parameters.force()));
  }

  private static void describe(Message message, ImportFile file) {
    FileStamp stamp = file.stamp();
    message.setHeader(Exchange.FILE_NAME, stamp.name());
    message.setHeader(Exchange.FILE_LENGTH, stamp.size());
    message.setHeader(Exchange.FILE_LAST_MODIFIED, stamp.modifiedAt().toEpochMilli());
    message.setHeader(
        CopyUpsertConstants.LOAD_ID, FaultPoint.withoutFence() ? UUID.randomUUID() : file.loadId());
  }

  private static TablePlan plan(ProjectConfig project, String file) {
    return project
        .plan(file)
        .orElseThrow(
            () ->
                new CaravanException(
                    FailureCode.CONFIG_INVALID,
                    "Project %s has no table for %s.".formatted(project.project(), file)));
  }

  /** How the project loads a file of the name. */
  static CopyUpsertLoad load(ProjectConfig project, String file, boolean force) {
    TablePlan plan = plan(project, file);
    TableOptions options = plan.options();
    TableName target = new TableName(plan.schema(), plan.table());
    LoadSpec spec =
        new LoadSpec(
            target,
            options.keyColumns(),
            options.columnMapping(),
            LoadMode.valueOf(options.mode().name()),
            options.range().map(r -> new LoadRange(r.column(), r.from(), r.to())),
            OnMissing.valueOf(options.missingRows().name()),
            OnError.valueOf(options.onError().name()),
            options.maxErrors(),
            options.maxErrorRatio(),
            OnDrift.valueOf(options.onDrift().name()),
            options.allowEmpty(),
            formats(options.valueFormats()),
            options.inferTypes(),
            types(options),
            options.setSequences());
    return new CopyUpsertLoad(
        project.project() + "/" + target, spec, options.csv(), Optional.empty(), force);
  }

  private static Map<String, ColumnType> types(TableOptions options) {
    return options.columnTypes().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, column -> ColumnType.of(column.getValue())));
  }

  private static ValueFormats formats(TableOptions.Formats formats) {
    return new ValueFormats(
        formats.date(),
        formats.timestamp(),
        formats.decimal(),
        formats.thousands(),
        formats.trueWords(),
        formats.falseWords());
  }
}
