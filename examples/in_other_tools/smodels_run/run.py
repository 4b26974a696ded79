"""A bundle in SModelS: python run.py BUNDLE SIGNAL DATABASE, the signal {bin id: events} in JSON"""

import json
import sys
from pathlib import Path

from database import write_database
from smodels.base.model import Model
from smodels.base.physicsUnits import GeV, fb
from smodels.decomposition import decomposer
from smodels.experiment.databaseObj import Database
from smodels.matching.theoryPrediction import theoryPredictionsFor
from smodels.share.models.mssm import BSMList
from smodels.share.models.SMparticles import SMList
from smodels.statistics.basicStats import aposteriori, observed

import llb
import llb_smodels
from llb.runtime import limits

bundle, signal = llb.read_bundle(sys.argv[1]), json.loads(Path(sys.argv[2]).read_bytes())
llb_smodels.install()
database = Database(str(write_database(Path(sys.argv[3]), bundle, signal)))

model = Model(BSMparticles=BSMList, SMparticles=SMList)
model.updateParticles(inputFile=str(Path(__file__).with_name("stau.slha")))
topologies = decomposer.decompose(model, sigmacut=0.001 * fb, minmassgap=5 * GeV)
(prediction,) = theoryPredictionsFor(database, topologies, combinedResults=True)

print(f"SModelS:   r = {prediction.getRValue():.5g}, expected {prediction.getRValue(aposteriori):.5g}")
upper = [prediction.statsComputer.getUpperLimit(item) for item in (observed, aposteriori)]
print(f"SModelS:   mu < {upper[0]:.5g}, expected {upper[1]:.5g}")

likelihood = llb.load(bundle)
(ours,) = limits(likelihood, likelihood.signal(signal)[None])
print(f"llb limit: mu < {ours.upper_limit_observed:.5g}, expected {ours.upper_limit_expected[2]:.5g}")
