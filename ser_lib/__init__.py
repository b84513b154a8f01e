"""The paper as code: Etienne et al. 2018, CNN+LSTM for speech emotion recognition with data augmentation.

Data flows one way, and each module stands for one section of the paper::

    corpora -> features -> folds -> vtlp, model -> training -> records -> scoring -> tables, figures -> the book

Importing this package loads nothing heavy; import the module that you need.
"""

__version__ = "0.1.0"
