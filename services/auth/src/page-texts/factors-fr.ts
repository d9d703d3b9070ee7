import type { factors as english } from './factors-en.ts';

export const factors: typeof english = {
  factorTitle: 'Encore une étape',
  factorMeans: 'Pour continuer en tant que {person}, montrez par un second facteur que c’est bien vous.',
  factorUsePasskey: 'Utiliser une clé d’accès',
  factorCode: 'Les six chiffres que montre votre application d’authentification',
  factorUseRecovery: 'Utiliser un code de secours',
  factorRecoveryCode: 'L’un des codes de secours que vous avez conservés',
  factorLost:
    'Vous n’avez rien de tout cela ? Un administrateur de votre organisation peut réinitialiser vos seconds facteurs.',
  factorWrong: 'Ce code n’est pas le bon. Vérifiez-le, ou attendez le suivant.',
  factorUsed: 'Ce code a déjà servi. Attendez le suivant.',
  factorRecoveryWrong: 'Ce code n’est pas le bon, ou il a déjà servi. Vérifiez-le, ou prenez-en un autre.',
  factorLocked: 'Il y a eu trop de codes faux. Attendez au moins un quart d’heure, ou utilisez autre chose.',
  factorPasskeyStopped: 'La clé d’accès n’a pas été acceptée. Réessayez, ou utilisez autre chose.',
  factorNeeded: 'Un second facteur est nécessaire',
  factorNeededMeans:
    'Votre organisation ou l’application demande plus d’une preuve que c’est bien vous. Choisissez ce que vous configurez.',
  factorEnrolTotp: 'Configurer une application d’authentification',
  factorEnrolPasskey: 'Configurer une clé d’accès',
  factorTotpMeans:
    'Scannez cette image avec une application d’authentification, puis saisissez les six chiffres qu’elle montre.',
  factorPicture: 'Une image que lisent les applications d’authentification',
  factorSecret: 'Ou saisissez-y cette clé :',
  factorPasskeyMeans:
    'Votre appareil garde la clé d’accès, et vous demande votre doigt, votre visage ou son code quand vous l’utilisez.',
  factorName: 'Comment vous appelez cet appareil, si vous voulez',
  factorNeedsScript:
    'Ce navigateur n’a pas de clés d’accès, ou ses scripts sont désactivés. Utilisez un autre navigateur ou appareil.',
  factorRecoveryTitle: 'Conservez ces codes de secours',
  factorRecoveryMeans:
    'Si vous perdez votre second facteur, chacun d’eux vous laisse entrer une fois. Ils ne seront plus montrés.',
  factorRecoveryKept: 'Je les ai conservés',
};
